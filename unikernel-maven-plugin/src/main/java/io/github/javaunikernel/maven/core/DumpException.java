// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import io.github.javaunikernel.maven.settings.ExplainedException;

/** The file is no dump of a machine with this kernel, or is damaged; the message says why and what to do. */
public final class DumpException extends ExplainedException {
    private static final long serialVersionUID = 1L;

    DumpException(String message) {
        super(message);
    }

    /** What is in the memory contradicts itself. */
    static DumpException damaged(String why) {
        return new DumpException("The dump is damaged: " + why
                + ". Write the memory of the machine again, while the machine is stopped.");
    }
}
