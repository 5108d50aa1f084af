// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;

/**
 * An image to boot in QEMU.
 *
 * @param firmware what starts the guest
 * @param memory in MiB, or empty for what the image was made for
 * @param debugPort port of this machine for the JVM's debugger agent; 0 for a free one
 * @param gdbPort port of this machine for gdb, which then starts the guest
 */
public record QemuRequest(BuiltImage image, Firmware firmware, OptionalInt memory, Path qemu,
                          Accelerator accelerator, List<PortForward> ports, OptionalInt debugPort,
                          OptionalInt gdbPort) {
}
