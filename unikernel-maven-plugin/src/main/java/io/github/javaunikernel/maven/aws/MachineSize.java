// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

/**
 * The machine that an image was built for.
 *
 * @param memory in MiB
 * @param scratchBytes size of the scratch disk, 0 for none
 */
public record MachineSize(int memory, int vcpus, long scratchBytes) {
    private static final long GIBIBYTE = 1L << 30;

    /** For an image of which this is not known: any machine will do. */
    public static final MachineSize UNKNOWN = new MachineSize(0, 0, 0);

    /** Size of a volume for the scratch disk, in GiB; 0 for none. */
    int scratchGiB() {
        return (int) ((scratchBytes + GIBIBYTE - 1) / GIBIBYTE);
    }
}
