// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.nio.file.Path;

/** The tree cannot be an ext2 file system; the message says why and what to change. */
public final class ImageException extends ExplainedException {
    private static final long serialVersionUID = 1L;

    ImageException(String message) {
        super(message);
    }

    ImageException(Path image, String problem, String fix) {
        super(image, problem, fix);
    }
}
