// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.io.IOException;

/**
 * A class file or module description cannot be read. The message is a clause about it; whoever opened the file names
 * it.
 */
public final class DamagedException extends IOException {
    private static final long serialVersionUID = 1L;

    DamagedException(String message) {
        super(message);
    }

    DamagedException(String message, Throwable cause) {
        super(message, cause);
    }
}
