// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.io.IOException;

/** A program of the JDK failed; the message carries what it printed. */
public final class ToolException extends IOException {
    private static final long serialVersionUID = 1L;

    private final String output;

    ToolException(String command, int status, String output) {
        super(command + " ended with status " + status + ":\n" + output.strip());
        this.output = output;
    }

    /** Everything the program printed. */
    public String output() {
        return output;
    }
}
