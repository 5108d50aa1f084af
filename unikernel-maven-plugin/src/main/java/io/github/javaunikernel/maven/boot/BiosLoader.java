// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * What boots an image from a BIOS.
 *
 * @param sector the boot sector
 * @param program the loader, which the boot sector reads from a file of the image
 */
public record BiosLoader(byte[] sector, byte[] program) {

    private static final int SECTOR_SIZE = 512;
    /** The loader follows the boot sector and the place of the boot map. */
    private static final int PROGRAM_OFFSET = 2 * SECTOR_SIZE;

    /** The loader that comes with the plugin. */
    public static BiosLoader builtIn() throws IOException {
        try (InputStream in = Kernel.resource("unikernel.bios")) {
            byte[] all = in.readAllBytes();
            return new BiosLoader(Arrays.copyOf(all, SECTOR_SIZE), Arrays.copyOfRange(all, PROGRAM_OFFSET, all.length));
        }
    }
}
