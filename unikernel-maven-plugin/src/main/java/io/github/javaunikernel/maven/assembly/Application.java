// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.GivenOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The program of an image.
 *
 * @param mainClass to start, or null to find it
 * @param jars the class path in order, the application's own jar first
 * @param others further files that the program has beside its jars, jars among them that it loads by itself
 * @param asModule whether the jars are a module path, and the first is a module to start
 * @param jvmArguments after those chosen for the machine
 * @param systemProperties baked in as {@code -D} options
 */
public record Application(String mainClass, List<Jar> jars, List<Jar> others, boolean asModule,
                          List<String> jvmArguments, Map<String, String> systemProperties, List<String> arguments,
                          Map<String, String> environment) {

    /** An ordinary class path. */
    public Application(String mainClass, List<Jar> jars, List<String> jvmArguments, Map<String, String> systemProperties,
            List<String> arguments, Map<String, String> environment) {
        this(mainClass, jars, List.of(), false, jvmArguments, systemProperties, arguments, environment);
    }

    /** Every option of the JVM that the user gives. */
    public GivenOptions options() {
        return GivenOptions.of(jvmArguments, systemProperties, environment);
    }

    /** The files of the class path. */
    public List<Path> classPath() {
        return jars.stream().map(Jar::file).toList();
    }

    /** Every jar of the program, whoever loads it. */
    public List<Path> allJars() {
        return Stream.concat(jars.stream(), others.stream().filter(file -> file.file().toString().endsWith(".jar")))
                .map(Jar::file).toList();
    }

    /**
     * One entry of the class path, or another file.
     *
     * @param origin such as {@code maven:group:artifact:version}
     * @param place where it is in the image, or null for the usual place of a jar
     */
    public record Jar(Path file, String origin, String place) {

        /** A jar at the usual place. */
        public Jar(Path file, String origin) {
            this(file, origin, null);
        }
    }
}
