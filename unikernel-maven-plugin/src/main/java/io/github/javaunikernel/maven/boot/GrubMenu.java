// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

/** The text of {@code /boot/grub/menu.lst} as GRUB 0.97 and thereby PV-GRUB reads it. */
public final class GrubMenu {

    private GrubMenu() {}

    /** A menu with one entry that starts at once. The image is not partitioned, hence {@code (hd0)}. */
    public static String text(String title, String kernel, KernelCommandLine commandLine) {
        return "default 0\n"
                + "timeout 0\n"
                + "title " + title.replaceAll("\\s+", " ") + "\n"
                + "root (hd0)\n"
                + ("kernel " + kernel + " " + commandLine.text()).stripTrailing() + "\n";
    }
}
