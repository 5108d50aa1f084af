// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.JvmOptions;
import java.nio.file.Path;
import java.util.List;

/**
 * Class data of the application in an image.
 *
 * @param file of this machine
 * @param place in the image
 * @param options with which the JVM finds them, none where it looks for them by itself
 */
record PlacedClassData(Path file, String place, List<String> options) {

    static PlacedClassData archive(Path file) {
        return new PlacedClassData(file, Paths.CLASS_DATA, List.of());
    }

    static PlacedClassData aotCache(Path file) {
        return new PlacedClassData(file, Paths.AOT_CACHE, JvmOptions.aotCache(Paths.AOT_CACHE));
    }
}
