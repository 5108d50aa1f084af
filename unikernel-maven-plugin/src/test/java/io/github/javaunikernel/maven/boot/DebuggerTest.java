// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class DebuggerTest {

    @Test
    void findsThePortOfAnAgent() {
        assertEquals(OptionalInt.of(5005), Debugger.port(List.of("-Xint", Debugger.jvmArgument(true))));
        assertEquals(
                OptionalInt.of(8000),
                Debugger.port(List.of("-agentlib:jdwp=server=y,address=8000,transport=dt_socket")));
        assertEquals(OptionalInt.empty(), Debugger.port(List.of("-Daddress=8000", "-agentlib:hprof=address=8000")));
    }
}
