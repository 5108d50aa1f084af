// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** A guest that reboots when asked, and ends by itself. */
abstract class RebootSuite extends GuestSuite {

    RebootSuite(Platform platform, String image) {
        super(platform, image);
    }

    @Test
    @Order(1000)
    void rebootsOnRequestAndServesAgain() throws IOException {
        int position = lab.position();
        lab.command("reboot");
        lab.await(position, "app: stopped", END);
        lab.await(position, "lab: domain asked for a reboot", END);
        lab.await(position, "app: listening", BOOT);
        assertEquals("Hello from the lab", HttpConnection.get(port, "/hello"));
    }

    @Test
    @Order(1010)
    void exitStatusOfTheProgramEndsTheDomain() throws Exception {
        assertEquals("exiting", HttpConnection.get(port, "/exit?code=7"));
        lab.await("unikernel: exit status=7", END);
        assertEquals(7, lab.exitStatus(END));
    }
}
