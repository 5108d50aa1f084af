// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;

/**
 * One start of a machine of which snapshots may be taken. The guest reads the identifier, and knows by another one that
 * it goes on from a snapshot (QEMU's device vmgenid).
 *
 * @param identifier of this start alone
 * @param memory a snapshot that the guest goes on from, or empty for a boot
 */
public record Generation(UUID identifier, Optional<Path> memory) {

    /** A start that no other has the identifier of. */
    public static Generation next(Optional<Path> memory) {
        return new Generation(UUID.randomUUID(), memory);
    }
}
