// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Ipv4AddressTest {

    @ParameterizedTest
    @ValueSource(strings = {"0.0.0.0", "10.0.0.2", "127.255.255.255", "128.0.0.0", "255.255.255.255"})
    void writesWhatItReads(String text) {
        assertEquals(text, Ipv4Address.parse(text).orElseThrow().toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "10.0.0", "10.0.0.2.1", "10.0.0.", "10.0.0.256", "10.0.0.02", "10.0.0.-1", "10.0.0.a"})
    void refusesOtherTexts(String text) {
        assertEquals(Optional.empty(), Ipv4Address.parse(text));
    }

    @Test
    void knowsItsNetwork() {
        Ipv4Address address = Ipv4Address.parse("192.168.7.200").orElseThrow();
        assertEquals("192.168.7.192", address.network(28).toString());
        assertEquals("128.0.0.0", address.network(1).toString());
        assertEquals("192.168.7.201", address.next().toString());
    }
}
