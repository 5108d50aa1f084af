// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import java.nio.file.Path;

/** Where the goals on EC2 leave word for each other, beside the image. */
final class CloudFiles {
    private CloudFiles() {
    }

    /** {@code NAME.ami.json}: what was registered, by region. */
    static Path amiReport(Path image) {
        return sibling(image, ".ami.json");
    }

    /** {@code NAME.launch.json}: what a launch created. */
    static Path launchRecord(Path image) {
        return sibling(image, ".launch.json");
    }

    private static Path sibling(Path image, String extension) {
        return image.resolveSibling(baseName(image) + extension);
    }

    static String baseName(Path image) {
        return image.getFileName().toString().replaceFirst("\\.img$", "");
    }
}
