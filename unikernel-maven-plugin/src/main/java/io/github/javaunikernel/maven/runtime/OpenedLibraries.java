// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Libraries that a native file may open by name with dlopen(3). No table of a file lists them; their names stand among
 * its texts, each ended by a zero byte.
 */
final class OpenedLibraries {

    private static final Pattern NAME =
            Pattern.compile("\\00((?:/[A-Za-z0-9_+./-]*/)?lib[A-Za-z0-9_+.-]+\\.so(?:\\.[0-9]+)*)(?=\\00)");
    /** For screens and graphics cards, which no guest has; they would bring dozens of others along. */
    private static final Pattern USELESS =
            Pattern.compile("(?:.*/)?lib(X|GL|EGL|gtk|gdk|wayland|xcb|cuda|nvidia|OpenCL|vulkan|asound|pulse).*");
    /** Larger files are data rather than code. */
    private static final long LARGEST = 256L << 20;

    private OpenedLibraries() {}

    static List<String> in(Path file) throws IOException {
        if (Files.size(file) > LARGEST) {
            return List.of();
        }
        return NAME.matcher(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
                .results()
                .map(result -> result.group(1))
                .filter(name -> !USELESS.matcher(name).matches())
                .distinct()
                .sorted()
                .toList();
    }
}
