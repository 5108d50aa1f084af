// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.run.BuiltImage;
import io.github.javaunikernel.maven.run.QemuRequest;
import java.util.Optional;

/** Why no right snapshot can be taken of a machine. */
public final class SnapshotObstacle {

    private SnapshotObstacle() {}

    /** The obstacle and what to do about it, in words; empty if there is none. This is for any machine. */
    public static Optional<String> of(BuiltImage image) {
        if (image.scratchBytes() > 0) {
            return Optional.of("the scratch disk of this image would be lost. Build it without -Dunikernel.scratch,"
                    + " or leave out -Dunikernel.serve.snapshot.");
        }
        if (!image.dataDisks().isEmpty()) {
            return Optional.of("its data disks would go on changing after it. Build the image without"
                    + " -Dunikernel.dataDisks, or leave out -Dunikernel.serve.snapshot.");
        }
        return Optional.empty();
    }

    /** As above, for a machine in QEMU. */
    public static Optional<String> of(QemuRequest request) {
        if (!request.accelerator().canRestore()) {
            return Optional.of(
                    "QEMU cannot go on from one with " + request.accelerator().name()
                            + ". Use -Dunikernel.accel=tcg, or leave out -Dunikernel.serve.snapshot.");
        }
        if (request.image().vcpus() > 1) {
            return Optional.of("with several CPUs, one could use random numbers of before the snapshot while another"
                    + " learns of it. Build the image with -Dunikernel.vcpus=1, or leave out"
                    + " -Dunikernel.serve.snapshot.");
        }
        if (request.debugPort().isPresent()) {
            return Optional.of("the debugger's connection would be lost. Leave out -Dunikernel.debug or"
                    + " -Dunikernel.serve.snapshot.");
        }
        return of(request.image());
    }
}
