// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An application that is a directory, with a jar in it that is started and that loads others from beside itself: the
 * fast-jar of Quarkus, a distribution of a server. The directory is kept as it is.
 */
public final class ApplicationDirectory {

    private final Path directory;
    private final Path main;

    private ApplicationDirectory(Path directory, Path main) {
        this.directory = directory;
        this.main = main;
    }

    /**
     * Looks at a directory.
     *
     * @param mainJar the jar to start, relative to it; null for the only one at its top that names a main class
     */
    public static ApplicationDirectory of(Path directory, String mainJar) throws IOException, SettingException {
        if (!Files.isDirectory(directory)) {
            throw new SettingException(
                    "applicationDirectory",
                    "There is no directory " + directory + ".",
                    "Correct the path, or run the goal after the plugin that creates the directory.");
        }
        if (mainJar == null) {
            return new ApplicationDirectory(directory, onlyStartable(directory));
        }
        Path jar = directory.resolve(mainJar).normalize();
        if (!jar.startsWith(directory.normalize()) || !Files.isRegularFile(jar)) {
            throw new SettingException(
                    "mainJar",
                    "There is no file " + mainJar + " in " + directory + ".",
                    "Name the jar to start by its path in the directory.");
        }
        return new ApplicationDirectory(directory, jar);
    }

    /** The jar to start. */
    public Application.Jar mainJar() {
        return placed(main);
    }

    /** Every other file. */
    public List<Application.Jar> others() throws IOException {
        try (var files = Files.walk(directory)) {
            return files.filter(file -> Files.isRegularFile(file) && !file.equals(main))
                    .sorted()
                    .map(this::placed)
                    .toList();
        }
    }

    private Application.Jar placed(Path file) {
        String path = directory.relativize(file).toString().replace('\\', '/');
        return new Application.Jar(file, "file:" + path, Paths.APPLICATION + "/" + path);
    }

    private static Path onlyStartable(Path directory) throws IOException, SettingException {
        List<Path> found = new ArrayList<>();
        try (var files = Files.list(directory)) {
            for (Path file : files.filter(name -> name.toString().endsWith(".jar"))
                    .sorted()
                    .toList()) {
                if (MainClass.isNamedBy(file)) {
                    found.add(file);
                }
            }
        }
        if (found.size() != 1) {
            throw new SettingException(
                    "mainJar",
                    (found.isEmpty() ? "No jar" : "More than one jar") + " at the top of " + directory
                            + " names a main class.",
                    "Name the jar to start by its path in the directory.");
        }
        return found.get(0);
    }
}
