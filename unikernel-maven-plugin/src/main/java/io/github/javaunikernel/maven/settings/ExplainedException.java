// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.settings;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** An input or output that failed. The message is for the user: it says what is wrong and ends with the fix. */
public class ExplainedException extends IOException {
    private static final long serialVersionUID = 1L;

    private final transient FileTrouble trouble;

    /** With a message of whole sentences, of which the last says what to do. */
    public ExplainedException(String message) {
        this(message, (Throwable) null);
    }

    /** As above, with what led to it. */
    public ExplainedException(String message, Throwable cause) {
        super(message, cause);
        trouble = new FileTrouble(message, "", Optional.empty());
    }

    /** About what is in a file that was named by the user. */
    public ExplainedException(Path file, String problem, String fix) {
        super(problem + " " + fix);
        trouble = new FileTrouble(problem, fix, Optional.of(file));
    }

    /** The message in its parts. */
    FileTrouble trouble() {
        return trouble;
    }
}
