// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.run.Accelerator.Host;
import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AcceleratorTest {

    private static final Host WITH_KVM = new Host(HostFamily.LINUX, "amd64", true, true, true);
    private static final Host NOT_PERMITTED = new Host(HostFamily.LINUX, "amd64", true, true, false);

    @Test
    void usesKvmWhereItCan() throws Exception {
        assertEquals("kvm", Accelerator.choose("auto", WITH_KVM).name());
        assertEquals("kvm", Accelerator.choose("kvm", WITH_KVM).name());
        assertEquals("tcg", Accelerator.choose("tcg", WITH_KVM).name());
    }

    @Test
    void emulatesElsewhereAndSaysWhy() throws Exception {
        assertEmulatedBecause("aarch64 does not run x86-64", new Host(HostFamily.LINUX, "aarch64", false, true, true));
        assertEmulatedBecause("no hardware virtualisation", new Host(HostFamily.LINUX, "amd64", false, true, true));
        assertEmulatedBecause("there is no /dev/kvm", new Host(HostFamily.LINUX, "amd64", true, false, false));
    }

    @Test
    void warnsWhenOnlyARightIsMissing() throws Exception {
        Accelerator chosen = Accelerator.choose("auto", NOT_PERMITTED);
        assertEquals("tcg", chosen.name());
        assertTrue(chosen.warning());
        assertTrue(chosen.note().endsWith("Add yourself to its group (sudo usermod -aG kvm $USER) and log in again"));
    }

    @Test
    void failsWhereKvmIsDemandedInVain() {
        SettingException e = assertThrows(SettingException.class, () -> Accelerator.choose("kvm", NOT_PERMITTED));
        assertEquals(
                "kvm cannot be used: /dev/kvm is there, but you may not use it. [parameter accel, -Dunikernel.accel]"
                        + " Add yourself to its group (sudo usermod -aG kvm $USER) and log in again.",
                e.getMessage());
    }

    @Test
    void eachFamilyHasItsOwn() throws Exception {
        for (HostFamily family : HostFamily.values()) {
            Host host = new Host(family, "x86_64", true, true, true);
            String own = family.virtualisation();
            assertEquals(own, Accelerator.choose("auto", host).name());
            assertEquals(own, Accelerator.choose(own, host).name());
            for (HostFamily other : HostFamily.values()) {
                if (other != family) {
                    SettingException e = assertThrows(
                            SettingException.class, () -> Accelerator.choose(other.virtualisation(), host));
                    assertTrue(e.getMessage().endsWith("Use auto, " + own + " or tcg."), e.getMessage());
                }
            }
        }
    }

    @Test
    void macsWithOtherProcessorsEmulate() throws Exception {
        assertEmulatedBecause("aarch64 does not run x86-64", new Host(HostFamily.MACOS, "aarch64", true, true, true));
        // A JVM for x86-64 on such a Mac.
        assertEmulatedBecause("kern.hv_support", new Host(HostFamily.MACOS, "x86_64", true, false, true));
    }

    @Test
    void windowsIsToldToOfferIt(@TempDir Path windows) throws Exception {
        assertFalse(Host.hasPlatform(null));
        assertFalse(Host.hasPlatform(windows.toString()));
        Accelerator chosen = Accelerator.choose("auto", new Host(HostFamily.WINDOWS, "amd64", true, false, true));
        assertEquals("tcg", chosen.name());
        assertTrue(chosen.warning());
        assertTrue(chosen.note().contains("Windows Hypervisor Platform"), chosen.note());
        Files.createFile(Files.createDirectory(windows.resolve("System32")).resolve("WinHvPlatform.dll"));
        assertTrue(Host.hasPlatform(windows.toString()));
    }

    private static void assertEmulatedBecause(String reason, Host host) throws SettingException {
        Accelerator chosen = Accelerator.choose("auto", host);
        assertEquals("tcg", chosen.name());
        assertFalse(chosen.warning());
        assertTrue(chosen.note().contains(reason), chosen.note());
    }
}
