// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.io.IOException;

/** What Ctrl-C ends. May be used by several threads. */
public interface Stoppable {

    /** Asks it to end in good order and returns at once. */
    void shutDown() throws IOException;

    /** Ends it without asking. */
    void kill() throws IOException;
}
