// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

/** Where things are in an image: the contract with the guest kernel and boot loaders. */
public final class Paths {

    static final String KERNEL = "/boot/unikernel";
    static final String BIOS_LOADER = "/boot/unikernel.bios";
    static final String MENU = "/boot/grub/menu.lst";
    static final String CONFIG = "/etc/unikernel.conf";
    static final String RUNTIME = "/jvm";
    static final String JAVA = RUNTIME + "/bin/java";
    public static final String APPLICATION = "/app";
    static final String LAUNCHER = APPLICATION + "/launcher.jar";
    static final String LIBRARIES = APPLICATION + "/lib";

    private Paths() {
    }
}
