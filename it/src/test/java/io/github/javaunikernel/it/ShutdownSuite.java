// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** A guest that is shut down from outside at the end. */
abstract class ShutdownSuite extends GuestSuite {

    /** What a JVM ends with on SIGTERM: 128 + 15. */
    private static final int TERMINATED = 143;

    ShutdownSuite(Platform platform, String image) {
        super(platform, image);
    }

    @Test
    @Order(1000)
    void shutdownRunsHooksAndEndsTheDomain() throws InterruptedException {
        int position = lab.position();
        lab.command("shutdown");
        lab.await(position, "app: hook", END);
        lab.await(position, "app: stopped", END);
        lab.await(position, "unikernel: exit status=" + TERMINATED, END);
        assertEquals(TERMINATED, lab.exitStatus(END));
    }
}
