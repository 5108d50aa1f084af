// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** A project fresh from the archetype. */
final class Scaffold {

    private static final String NAME = "hello";

    private Scaffold() {}

    /** Generates the project below the directory; returns its own directory. */
    static Path generate(Path directory) throws IOException, InterruptedException {
        Maven.run(
                directory,
                Map.of(),
                "archetype:generate",
                "-DarchetypeCatalog=local",
                "-DarchetypeGroupId=io.github.javaunikernel",
                "-DarchetypeArtifactId=unikernel-archetype",
                "-DarchetypeVersion=" + System.getProperty("lab.version"),
                "-DgroupId=org.example",
                "-DartifactId=" + NAME,
                "-Dversion=1.0");
        return directory.resolve(NAME);
    }

    /** A file the build of the project made, such as {@code .img}. */
    static Path product(Path project, String extension) {
        return project.resolve("target").resolve(NAME + extension);
    }
}
