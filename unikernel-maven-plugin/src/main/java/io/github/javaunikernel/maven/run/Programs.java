// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

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
                .map(Programs::unquoted)
                .filter(directory -> !directory.isEmpty())
                .flatMap(directory -> program(directory, family.program(name)))
                .findFirst();
    }

    /** As above; where the path has none, one in a directory into which programs are usually installed. */
    static Optional<Path> installed(String name, String searchPath) {
        HostFamily family = HostFamily.current();
        return find(family, name, searchPath)
                .or(() -> find(
                        family, name, String.join(File.pathSeparator, family.installDirectories(System.getenv()))));
    }

    /** Windows accepts quotation marks around the entries of its PATH. */
    private static String unquoted(String directory) {
        return directory.replace("\"", "");
    }

    private static Stream<Path> program(String directory, String name) {
        try {
            return Stream.of(Path.of(directory, name))
                    .filter(file -> Files.isRegularFile(file) && Files.isExecutable(file));
        } catch (InvalidPathException e) {
            // No program can be in a directory that cannot be.
            return Stream.of();
        }
    }
}
