// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * OVMF, the UEFI firmware for QEMU.
 *
 * @param code the firmware
 * @param variables what a machine's store of variables begins with
 */
public record Ovmf(Path code, Path variables) {

    /** Where the package of Debian and Ubuntu puts it. */
    static final Path DIRECTORY = Path.of("/usr/share/OVMF");

    /** Finds the two files. */
    static Ovmf in(Path directory) throws SettingException {
        Ovmf ovmf = new Ovmf(directory.resolve("OVMF_CODE_4M.fd"), directory.resolve("OVMF_VARS_4M.fd"));
        for (Path file : new Path[] {ovmf.code, ovmf.variables}) {
            if (!Files.isReadable(file)) {
                throw new SettingException(
                        "firmware",
                        "QEMU has no UEFI firmware here: there is no " + file + ".",
                        "Install it (Debian, Ubuntu: sudo apt install ovmf), or leave the parameter out.");
            }
        }
        return ovmf;
    }
}
