// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

/** Where things are in an image: the contract with the guest kernel and boot loaders. */
public final class Paths {

    static final String KERNEL = "/boot/unikernel";
    static final String BIOS_LOADER = "/boot/unikernel.bios";
    static final String MENU = "/boot/grub/menu.lst";
    static final String CONFIG = "/etc/unikernel.conf";
    /** The configuration that replaces it while the guest records a class list. */
    static final String TRAINING_CONFIG = "/etc/unikernel.training.conf";
    /** The configuration that replaces it while the program checks itself. */
    static final String CHECK_CONFIG = "/etc/unikernel.check.conf";
    /** Where the class list is written: a serial port of its own (guest-kernel/docs/native.md, "Devices"). */
    static final String RECORDING = "/dev/ttyS2";

    static final String RUNTIME = "/jvm";
    static final String CLASS_DATA = RUNTIME + "/lib/server/classes.jsa";
    static final String AOT_CACHE = RUNTIME + "/lib/server/app.aot";
    static final String JAVA = RUNTIME + "/bin/java";
    public static final String APPLICATION = "/app";
    static final String LAUNCHER = APPLICATION + "/launcher.jar";
    static final String LIBRARIES = APPLICATION + "/lib";

    private Paths() {}
}
