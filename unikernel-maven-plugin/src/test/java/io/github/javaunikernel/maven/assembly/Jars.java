// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import javax.tools.ToolProvider;

/** Compiles small programs into jars. */
public final class Jars {

    private static final long TIME = 946684800000L;

    private Jars() {}

    /**
     * Makes a jar.
     *
     * @param mainClass for the manifest, or null
     * @param sources pairs of a class name in the default package and its source
     */
    public static Path jar(Path directory, String name, String mainClass, String... sources) throws IOException {
        return with(directory, name, mainClass == null ? Map.of() : Map.of("Main-Class", mainClass), sources);
    }

    /**
     * Makes a jar.
     *
     * @param attributes of the manifest
     * @param sources pairs of a class name, with slashes after its package, and its source
     */
    public static Path with(Path directory, String name, Map<String, String> attributes, String... sources)
            throws IOException {
        Path classes = Files.createDirectories(directory.resolve(name + "-classes"));
        List<String> command = new ArrayList<>(List.of("--release", "17", "-d", classes.toString()));
        for (int i = 0; i < sources.length; i += 2) {
            Path source = directory.resolve(name + "-sources").resolve(sources[i] + ".java");
            Files.createDirectories(source.getParent());
            Files.writeString(source, sources[i + 1]);
            command.add(source.toString());
        }
        int status = sources.length == 0
                ? 0
                : ToolProvider.getSystemJavaCompiler().run(null, null, null, command.toArray(String[]::new));
        if (status != 0) {
            throw new IllegalStateException("javac ended with status " + status);
        }
        Path jar = directory.resolve(name + ".jar");
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream entries = new JarOutputStream(out)) {
            Manifest manifest = new Manifest();
            manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
            attributes.forEach(manifest.getMainAttributes()::putValue);
            put(entries, "META-INF/MANIFEST.MF");
            manifest.write(entries);
            try (var files = Files.walk(classes)) {
                for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                    put(entries, classes.relativize(file).toString());
                    Files.copy(file, entries);
                }
            }
        }
        return jar;
    }

    private static void put(JarOutputStream entries, String name) throws IOException {
        JarEntry entry = new JarEntry(name);
        entry.setTime(TIME);
        entries.putNextEntry(entry);
    }
}
