// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class PortForwardTest {

    @Test
    void fillsUpWithTheSamePortsOrFreeOnes() throws Exception {
        List<Integer> ports = List.of(8080, 9090);
        assertEquals(
                List.of(new PortForward(80, 8080), new PortForward(9090, 9090)),
                PortForward.pair(ports, List.of(80), true));
        assertEquals(
                List.of(new PortForward(0, 8080), new PortForward(0, 9090)), PortForward.pair(ports, List.of(), false));
    }

    @Test
    void refusesWhatCannotBe() {
        assertRefused("ports", () -> PortForward.pair(List.of(0), List.of(), true));
        assertRefused("ports", () -> PortForward.pair(List.of(8080, 8080), List.of(), true));
        assertRefused("hostPorts", () -> PortForward.pair(List.of(8080), List.of(65536), true));
        assertRefused("hostPorts", () -> PortForward.pair(List.of(8080), List.of(1, 2), true));
    }

    @Test
    void readsSwitchesThatMayNameAPort() throws Exception {
        assertEquals(OptionalInt.empty(), PortOption.parse("debug", null, 5005));
        assertEquals(OptionalInt.empty(), PortOption.parse("debug", "false", 5005));
        assertEquals(OptionalInt.of(5005), PortOption.parse("debug", "true", 5005));
        assertEquals(OptionalInt.of(5005), PortOption.parse("debug", "", 5005));
        assertEquals(OptionalInt.of(6000), PortOption.parse("debug", "6000", 5005));
        assertRefused("debug", () -> PortOption.parse("debug", "yes", 5005));
        assertRefused("debug", () -> PortOption.parse("debug", "70000", 5005));
    }

    private static void assertRefused(String parameter, Executable reading) {
        SettingException e = assertThrows(SettingException.class, reading);
        assertEquals(parameter, e.parameter());
        assertTrue(e.getMessage().endsWith("."));
    }
}
