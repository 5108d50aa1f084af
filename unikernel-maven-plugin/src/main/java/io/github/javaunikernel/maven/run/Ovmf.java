// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * OVMF, the UEFI firmware for QEMU.
 *
 * @param code the firmware
 * @param variables what a machine's store of variables begins with
 */
public record Ovmf(Path code, Path variables) {

    /** Where the package of Debian and Ubuntu puts it. */
    private static final Path DEBIAN = Path.of("/usr/share/OVMF");

    /**
     * Finds the two files: those of the system's package, or those that QEMU has brought along.
     *
     * @param qemu QEMU's program
     */
    static Ovmf beside(Path qemu) throws SettingException {
        return in(places(DEBIAN, qemu.toAbsolutePath().getParent()));
    }

    /**
     * In the order of preference. Homebrew has {@code bin} and {@code share} side by side, Windows one in the other.
     */
    static List<Ovmf> places(Path debian, Path programs) {
        List<Ovmf> places = new ArrayList<>(
                List.of(new Ovmf(debian.resolve("OVMF_CODE_4M.fd"), debian.resolve("OVMF_VARS_4M.fd"))));
        for (Path share : List.of(programs.resolveSibling("share").resolve("qemu"), programs.resolve("share"))) {
            // The variables are the same for 32 and 64 bits, so that QEMU has them only once.
            places.add(new Ovmf(share.resolve("edk2-x86_64-code.fd"), share.resolve("edk2-i386-vars.fd")));
        }
        return places;
    }

    /** The first that is there. */
    static Ovmf in(List<Ovmf> places) throws SettingException {
        return places.stream()
                .filter(place -> Files.isReadable(place.code) && Files.isReadable(place.variables))
                .findFirst()
                .orElseThrow(() -> new SettingException(
                        "firmware",
                        "QEMU has no UEFI firmware here: there is neither "
                                + places.stream()
                                        .map(place -> place.code.toString())
                                        .collect(Collectors.joining(" nor "))
                                + ".",
                        "Install it (Debian, Ubuntu: sudo apt install ovmf), or leave the parameter out."));
    }
}
