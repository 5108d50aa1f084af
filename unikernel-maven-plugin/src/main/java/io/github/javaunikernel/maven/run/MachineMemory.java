// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import com.sun.management.OperatingSystemMXBean;
import io.github.javaunikernel.maven.boot.GuestMemory;
import io.github.javaunikernel.maven.settings.SettingException;
import java.lang.management.ManagementFactory;

/** How much memory a guest can have on this machine. */
public final class MachineMemory {

    private static final String PARAMETER = "memory";
    private static final long MEBIBYTE = 1 << 20;

    private MachineMemory() {}

    /**
     * Checks an amount in MiB.
     *
     * @param java whether the program needs a JVM
     */
    public static int checked(int memory, boolean java) throws SettingException {
        GuestMemory.check(memory, java);
        long all =
                ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize() / MEBIBYTE;
        if (memory > all) {
            throw new SettingException(
                    PARAMETER,
                    "The guest needs " + memory + " MiB, but this machine has only " + all + ".",
                    "Set a smaller value.");
        }
        return memory;
    }
}
