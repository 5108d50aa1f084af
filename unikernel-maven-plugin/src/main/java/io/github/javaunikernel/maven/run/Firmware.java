// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.SettingException;

/** What starts a guest in QEMU. */
public enum Firmware {

    /** QEMU loads the kernel itself. */
    NONE,
    /** QEMU's BIOS starts the boot code of the image, as the BIOS of an EC2 instance does. */
    BIOS;

    /** Reads a setting. */
    public static Firmware parse(String text) throws SettingException {
        return switch (text) {
            case "none" -> NONE;
            case "bios" -> BIOS;
            default -> throw new SettingException("firmware", "'" + text + "' is not a firmware.", "Use none or bios.");
        };
    }
}
