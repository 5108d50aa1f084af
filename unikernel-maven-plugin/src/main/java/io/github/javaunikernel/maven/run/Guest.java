// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.io.IOException;

/** A guest that was started. May be used by several threads. */
public interface Guest extends Stoppable {

    /** Its console. */
    Console console();

    /** What its kernel reports. */
    Reports reports();

    /** Asks it to end in good order (its program gets SIGTERM) and returns at once. */
    @Override
    void shutDown() throws IOException;

    /** Waits for its end. */
    GuestEnd await() throws InterruptedException;
}
