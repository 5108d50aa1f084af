// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.javaunikernel.maven.boot.KernelCommandLine;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class XlGuestTest {

    @Test
    void needsXl() throws Exception {
        SettingException e = assertThrows(
                SettingException.class,
                () -> XlGuest.start(image(), OptionalInt.empty(), "/nowhere", new Console(text -> {})));
        assertEquals(
                "There is no xl on the PATH. [parameter run.with, -Dunikernel.run.with]"
                        + " Run on a Xen host, as root, or leave the parameter out to use QEMU.",
                e.getMessage());
        assertEquals("run.with", e.parameter());
    }

    private static BuiltImage image() throws Exception {
        return new BuiltImage(
                "hello",
                Path.of("hello.img"),
                Path.of("hello.kernel"),
                Path.of("hello.xl.cfg"),
                false,
                KernelCommandLine.parse("quiet"),
                128,
                1,
                NetworkSetting.parse("dhcp"),
                0,
                List.of(),
                0,
                0,
                null,
                null,
                null,
                null);
    }
}
