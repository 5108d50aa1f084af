// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

/** The guest did not do what was asked of it. The message has the last lines of its console. */
public final class GuestException extends Exception {
    private static final long serialVersionUID = 1L;

    GuestException(String problem, Console console) {
        super(problem + console.lastLines());
    }
}
