// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

/**
 * The machine that an image was built for.
 *
 * @param memory in MiB
 */
public record MachineSize(int memory, int vcpus) {
    /** For an image of which this is not known: any machine will do. */
    public static final MachineSize UNKNOWN = new MachineSize(0, 0);
}
