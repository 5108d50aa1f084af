// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * What boots an image by UEFI (guest-kernel, docs/uefi.md).
 *
 * @param program the loader, which the firmware starts
 */
public record UefiLoader(byte[] program) {

    /** The loader that comes with the plugin. */
    public static UefiLoader builtIn() throws IOException {
        try (InputStream in = Kernel.resource("unikernel.efi")) {
            return new UefiLoader(in.readAllBytes());
        }
    }

    /**
     * The files of the partition that the firmware boots from.
     *
     * @param menu the text of menu.lst, in which the loader finds the kernel's command line
     */
    public Map<String, byte[]> files(Kernel kernel, String menu) {
        return Map.of(
                "EFI/BOOT/BOOTX64.EFI",
                program,
                "EFI/UNIKERN/KERNEL.ELF",
                kernel.elf(),
                "EFI/UNIKERN/MENU.LST",
                menu.getBytes(StandardCharsets.UTF_8));
    }
}
