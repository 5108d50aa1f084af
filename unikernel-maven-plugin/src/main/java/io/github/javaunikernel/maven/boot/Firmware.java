// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;

/** What starts a guest, which decides the form of its image. */
public enum Firmware {

    /** None: a host loads the kernel itself, or PV-GRUB does. */
    NONE,
    /** A BIOS starts the boot code of the image, as that of an EC2 instance does. */
    BIOS,
    /** UEFI starts a loader on a partition of its own, so the image is partitioned. */
    UEFI;

    /** Reads a setting. */
    public static Firmware parse(String text) throws SettingException {
        return switch (text) {
            case "none" -> NONE;
            case "bios" -> BIOS;
            case "uefi" -> UEFI;
            default ->
                throw new SettingException("firmware", "'" + text + "' is not a firmware.", "Use none, bios or uefi.");
        };
    }
}
