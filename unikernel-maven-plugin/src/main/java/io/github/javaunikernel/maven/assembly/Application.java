// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.GivenOptions;
import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.runtime.Executable;
import java.io.IOException;
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
 * @param executable the place in the image of the one among the others that is started in place of a JVM, or null
 * @param checkArguments with which the program checks itself, in place of its arguments; empty for no such check
 */
public record Application(
        String mainClass,
        List<Jar> jars,
        List<Jar> others,
        String executable,
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
        this(
                mainClass,
                jars,
                List.of(),
                null,
                false,
                jvmArguments,
                systemProperties,
                arguments,
                List.of(),
                environment);
    }

    /** A program that needs no JVM, and the libraries that it expects at places relative to its own. */
    public static Application ofExecutable(
            Executable program, List<String> arguments, List<String> checkArguments, Map<String, String> environment)
            throws IOException {
        List<Jar> files = new ArrayList<>();
        files.add(placed(program.file(), program.file().getFileName()));
        for (Map.Entry<Path, Path> library : program.libraries().entrySet()) {
            files.add(placed(library.getValue(), library.getKey()));
        }
        String place = files.get(0).place();
        return new Application(
                null, List.of(), files, place, false, List.of(), Map.of(), arguments, checkArguments, environment);
    }

    private static Jar placed(Path file, Path relative) {
        String place = DirectoryTree.slashed(
                Path.of(Paths.APPLICATION).resolve(relative).normalize());
        return new Jar(file, "file:" + file.getFileName(), place);
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

    /** Every jar of the program, whoever loads it. */
    public List<Path> allJars() {
        return Stream.concat(
                        jars.stream(),
                        others.stream().filter(file -> file.file().toString().endsWith(".jar")))
                .map(Jar::file)
                .toList();
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
