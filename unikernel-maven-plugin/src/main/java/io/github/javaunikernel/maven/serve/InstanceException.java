// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

/** An instance could not be started, did not become ready, or did not end. The message is for the user. */
public final class InstanceException extends Exception {
    private static final long serialVersionUID = 1L;

    /** With a message of whole sentences, perhaps followed by the last lines of a console. */
    public InstanceException(String message, Throwable cause) {
        super(message, cause);
    }
}
