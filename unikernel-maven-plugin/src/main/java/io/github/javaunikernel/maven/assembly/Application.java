// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.GivenOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
 * @param checkArguments with which the program checks itself, in place of its arguments; empty for no such check
 */
public record Application(
        String mainClass,
        List<Jar> jars,
        List<Jar> others,
        boolean asModule,
        List<String> jvmArguments,
        Map<String, String> systemProperties,
        List<String> arguments,
        List<String> checkArguments,
        Map<String, String> environment) {

    /** An ordinary class path. */
    public Application(
            String mainClass,
            List<Jar> jars,
            List<String> jvmArguments,
            Map<String, String> systemProperties,
            List<String> arguments,
            Map<String, String> environment) {
        this(mainClass, jars, List.of(), false, jvmArguments, systemProperties, arguments, List.of(), environment);
    }

    /** Every option of the JVM that the user gives. */
    public GivenOptions options() {
        return GivenOptions.of(jvmArguments, systemProperties, environment);
    }

    /** The class path, each jar with its place in the image. */
    List<Jar> placedJars() {
        List<Jar> placed = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Jar jar : jars) {
            String place = jar.place() == null ? usualPlace(jar, placed.isEmpty(), names) : jar.place();
            placed.add(new Jar(jar.file(), jar.origin(), place));
        }
        return placed;
    }

    private static String usualPlace(Jar jar, boolean own, Set<String> names) {
        String directory = own ? Paths.APPLICATION : Paths.LIBRARIES;
        String name = jar.file().getFileName().toString();
        for (int copy = 2; !names.add(directory + "/" + name); copy++) {
            // Artifacts of two groups may have one file name.
            name = copy + "-" + jar.file().getFileName();
        }
        return directory + "/" + name;
    }

    /** The files of the class path. */
    public List<Path> classPath() {
        return jars.stream().map(Jar::file).toList();
    }

    /** The jars that the program has beside its class path. */
    public List<Path> otherJars() {
        return others.stream()
                .map(Jar::file)
                .filter(file -> file.toString().endsWith(".jar"))
                .toList();
    }

    /** Every jar of the program, whoever loads it. */
    public List<Path> allJars() {
        return Stream.concat(classPath().stream(), otherJars().stream()).toList();
    }

    /**
     * One entry of the class path, or another file.
     *
     * @param origin such as {@code maven:group:artifact:version}
     * @param place where it is in the image, or null for the usual place of a jar
     */
    public record Jar(Path file, String origin, String place) {

        /** Whether it is a library whose content is fixed for its version; its place must be set. */
        boolean isReleasedLibrary() {
            return place.contains("/lib/") && !origin.contains("-SNAPSHOT");
        }

        /** A jar at the usual place. */
        public Jar(Path file, String origin) {
            this(file, origin, null);
        }
    }
}
