// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;

/** Amounts of memory that a guest can have, in MiB. */
public final class GuestMemory {

    /** With less, no useful JVM fits beside the kernel. */
    private static final int LEAST_FOR_JAVA = 24;
    /** With less, only a JVM that has been made to need little. */
    private static final int ENOUGH_FOR_JAVA = 32;
    /** What the kernel and a small program need, whatever the machine. */
    private static final int LEAST = 12;
    /** 32 TiB, beyond the largest machines of EC2. */
    private static final int MOST = 32 << 20;

    private GuestMemory() {}

    /** Whether a JVM on this machine has to do with less memory than it takes by itself. */
    public static boolean isScarce(int memory) {
        return memory < ENOUGH_FOR_JAVA;
    }

    /**
     * Refuses an amount that no machine has, or that is too little for any program.
     *
     * @param java whether the program needs a JVM
     */
    public static void check(int memory, boolean java) throws SettingException {
        if (java && memory < LEAST_FOR_JAVA) {
            throw new SettingException(
                    "memory",
                    memory + " MiB are too little for a JVM.",
                    "Give " + LEAST_FOR_JAVA + " or more; 64 is the least for most programs.");
        }
        if (memory < LEAST) {
            throw new SettingException(
                    "memory", memory + " MiB are too little for a guest.", "Give " + LEAST + " or more.");
        }
        if (memory > MOST) {
            throw new SettingException(
                    "memory",
                    memory + " MiB are more than any machine has.",
                    "Give the memory in MiB, such as 1024 for 1 GiB.");
        }
    }
}
