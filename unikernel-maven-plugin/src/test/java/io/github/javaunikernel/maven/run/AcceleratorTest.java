// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.run.Accelerator.Host;
import io.github.javaunikernel.maven.settings.SettingException;
import org.junit.jupiter.api.Test;

class AcceleratorTest {

    private static final Host WITH_KVM = new Host("amd64", true, true, true);
    private static final Host NOT_PERMITTED = new Host("amd64", true, true, false);

    @Test
    void usesKvmWhereItCan() throws Exception {
        assertEquals("kvm", Accelerator.choose("auto", WITH_KVM).name());
        assertEquals("kvm", Accelerator.choose("kvm", WITH_KVM).name());
        assertEquals("tcg", Accelerator.choose("tcg", WITH_KVM).name());
    }

    @Test
    void emulatesElsewhereAndSaysWhy() throws Exception {
        assertEmulatedBecause("aarch64 does not run x86-64", new Host("aarch64", false, true, true));
        assertEmulatedBecause("no hardware virtualisation", new Host("amd64", false, true, true));
        assertEmulatedBecause("there is no /dev/kvm", new Host("amd64", true, false, false));
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
                "KVM cannot be used: /dev/kvm is there, but you may not use it. [parameter accel, -Dunikernel.accel]"
                        + " Add yourself to its group (sudo usermod -aG kvm $USER) and log in again.",
                e.getMessage());
    }

    @Test
    void knowsNoOthers() {
        SettingException e = assertThrows(SettingException.class, () -> Accelerator.choose("hvf", WITH_KVM));
        assertTrue(e.getMessage().endsWith("Use auto, kvm or tcg."));
    }

    private static void assertEmulatedBecause(String reason, Host host) throws SettingException {
        Accelerator chosen = Accelerator.choose("auto", host);
        assertEquals("tcg", chosen.name());
        assertFalse(chosen.warning());
        assertTrue(chosen.note().contains(reason), chosen.note());
    }
}
