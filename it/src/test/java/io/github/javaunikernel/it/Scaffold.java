// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A project fresh from the archetype. */
final class Scaffold {

    private static final String NAME = "hello";

    private Scaffold() {}

    /** Generates the project, with these properties, below the directory; returns its own directory. */
    static Path generate(Path directory, String... properties) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("-DgroupId=org.example", "-DartifactId=" + NAME));
        all.addAll(List.of(properties));
        Maven.run(directory, Map.of(), words(all.toArray(String[]::new)));
        return directory.resolve(NAME);
    }

    /** Generates a project that is refused; what Maven printed. */
    static String refuse(Path directory, String... properties) throws IOException, InterruptedException {
        return Maven.fail(directory, words(properties));
    }

    private static String[] words(String... properties) {
        List<String> words = new ArrayList<>(List.of(
                "archetype:generate",
                "-DarchetypeCatalog=local",
                "-DarchetypeGroupId=io.github.javaunikernel",
                "-DarchetypeArtifactId=unikernel-archetype",
                "-DarchetypeVersion=" + System.getProperty("lab.version"),
                "-Dversion=1.0"));
        words.addAll(List.of(properties));
        return words.toArray(String[]::new);
    }

    /** A file the build of the project made, such as {@code .img}. */
    static Path product(Path project, String extension) {
        return project.resolve("target").resolve(NAME + extension);
    }
}
