// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

/** A program of the JDK failed; the message carries what it printed. Whoever ran it knows the fix. */
final class ToolException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String output;

    ToolException(String command, int status, String output) {
        super(command + " ended with status " + status + ":\n" + output.strip() + "\n");
        this.output = output;
    }

    /** Everything the program printed. */
    String output() {
        return output;
    }
}
