// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A JDK that tests link runtimes from and compare with.
 *
 * @param feature its version
 */
record Jdk(int feature, Path home) {

    private static final int LATEST = 25;

    /** The JDK of the build or, for version 25, the one that {@code lab.jdk25} names. */
    static Jdk of(int feature) {
        Path home = feature == Runtime.version().feature()
                ? Path.of(System.getProperty("java.home"))
                : feature == LATEST ? Path.of(System.getProperty("lab.jdk25")) : null;
        if (home == null || !Files.isExecutable(home.resolve("bin").resolve("java"))) {
            throw new AssertionError("There is no JDK " + feature + ". Choose that of the build, or install a JDK "
                    + LATEST + " and set -Djdk25.home.");
        }
        return new Jdk(feature, home);
    }

    @Override
    public String toString() {
        return Integer.toString(feature);
    }

    /** The launcher. */
    String java() {
        return home.resolve("bin").resolve("java").toString();
    }
}
