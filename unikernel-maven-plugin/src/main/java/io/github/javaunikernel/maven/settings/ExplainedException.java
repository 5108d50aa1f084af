// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.settings;

import java.io.IOException;

/** An input or output that failed. The message is for the user: it says what is wrong and ends with the fix. */
public class ExplainedException extends IOException {
    private static final long serialVersionUID = 1L;

    /** With a message of whole sentences, of which the last says what to do. */
    public ExplainedException(String message) {
        super(message);
    }

    /** As above, with what led to it. */
    public ExplainedException(String message, Throwable cause) {
        super(message, cause);
    }
}
