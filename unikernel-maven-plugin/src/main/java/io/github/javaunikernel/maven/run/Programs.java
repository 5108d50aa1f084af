// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;

/** Programs of this machine. */
final class Programs {

    private Programs() {}

    /**
     * The first program of this name.
     *
     * @param searchPath directories as in the environment variable PATH; an empty one is not the working directory
     */
    static Optional<Path> find(String name, String searchPath) {
        return find(HostFamily.current(), name, searchPath);
    }

    static Optional<Path> find(HostFamily family, String name, String searchPath) {
        return Arrays.stream(searchPath.split(Pattern.quote(File.pathSeparator)))
                .filter(directory -> !directory.isEmpty())
                .map(directory -> Path.of(directory, family.program(name)))
                .filter(Files::isExecutable)
                .findFirst();
    }
}
