// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConnectionsTest {

    private static final String HEADING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when\n";

    @Test
    void theLongestQueuesComeFirst() throws Exception {
        String table = Connections.table(List.of(
                HEADING
                        + "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0 11\n"
                        + "   1: 0F02000A:1F90 0202000A:C8A2 01 0001F400:00000010 01:00000000 0 0 0 12\n",
                HEADING
                        + "   0: B80D0120000000000000000002000000:01BB B80D0120000000000000000003000000:0050 08"
                        + " 00000000:00000020 00:00000000 0 0 0 13\n"));
        assertEquals("""
                State           Recv-Q    Send-Q Local                                           Peer
                ESTABLISHED         16    128000 10.0.2.15:8080                                  10.0.2.2:51362
                CLOSE-WAIT          32         0 [2001:db8:0:0:0:0:0:2]:443                      \
                [2001:db8:0:0:0:0:0:3]:80
                LISTEN               0         0 0.0.0.0:8080                                    0.0.0.0:0
                """, table);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "0: 00000000:1F90",
                "0: 00000000:1F90 00000000:0000 0E 00000000:00000000",
                "0: 00000000:1F90 00000000:0000 01 0000000000000000",
                "0: 0000000:1F90 00000000:0000 01 00000000:00000000",
            })
    void otherLinesAreErrors(String line) {
        ExplainedException error = assertThrows(
                ExplainedException.class, () -> Connections.table(List.of(HEADING + line + "\n", HEADING)));
        assertTrue(error.getMessage().contains("a line that cannot be read: " + line), error.getMessage());
    }
}
