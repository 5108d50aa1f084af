// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.runtime.Jar;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An executable jar or war of Spring Boot, taken apart into an ordinary class path. Inside of an image nothing needs a
 * single file, and jars within a jar cost a quarter of the start-up time. What goes where is Spring Boot's reference,
 * "The Executable Jar Format".
 */
public final class SpringBootJar {

    private static final Attributes.Name CLASSES = new Attributes.Name("Spring-Boot-Classes");
    private static final Attributes.Name LIBRARIES = new Attributes.Name("Spring-Boot-Lib");
    private static final Attributes.Name ORDER = new Attributes.Name("Spring-Boot-Classpath-Index");
    private static final Attributes.Name START_CLASS = new Attributes.Name("Start-Class");
    private static final Pattern ORDER_LINE = Pattern.compile("- \"(.+)\"");
    /** What takes such a jar apart at run time, and what registers the loader of nested jars. */
    private static final String TOOLS = "spring-boot-jarmode-";

    private static final String LOADER_SERVICES = "META-INF/services/";
    private static final String OF_WARS = "WEB-INF/";
    /** Libraries of an executable war that a separate server would bring along. */
    private static final String PROVIDED = "WEB-INF/lib-provided/";

    private static final String LOADER = "org/springframework/boot/loader/";

    private final Path jar;
    private final Attributes attributes;

    private SpringBootJar(Path jar, Attributes attributes) {
        this.jar = jar;
        this.attributes = attributes;
    }

    /** Looks at a jar; empty when it is an ordinary one. */
    public static Optional<SpringBootJar> of(Path jar) throws IOException {
        Attributes attributes = Jar.attributes(jar);
        boolean executable = attributes.containsKey(CLASSES) && attributes.containsKey(LIBRARIES);
        return executable ? Optional.of(new SpringBootJar(jar, attributes)) : Optional.empty();
    }

    /** Whether it is a war, whose pages its server looks for beside the directory WEB-INF of its libraries. */
    public boolean isWar() {
        return attributes.getValue(CLASSES).startsWith(OF_WARS);
    }

    /**
     * Writes the pages and other files of a war into a directory, after {@link #unpack}.
     *
     * @return the files
     */
    public List<Path> unpackContent(Path directory) throws IOException {
        return Jar.read(jar, open -> unpackContent(open, directory));
    }

    private List<Path> unpackContent(JarFile file, Path directory) throws IOException {
        List<Path> content = new ArrayList<>();
        for (JarEntry entry : (Iterable<JarEntry>) file.stream().filter(this::isContent)::iterator) {
            Path to = directory.resolve(entry.getName()).normalize();
            if (!to.startsWith(directory)) {
                throw new ExplainedException(
                        jar + " has an entry that points outside of the jar, " + entry.getName() + ". Build it again.");
            }
            Files.createDirectories(to.getParent());
            extract(file, entry, to);
            content.add(to);
        }
        return content;
    }

    private static void extract(JarFile file, JarEntry entry, Path to) throws IOException {
        try (InputStream in = file.getInputStream(entry)) {
            FileTrouble.on(to, () -> Files.copy(in, to));
        }
    }

    private boolean isContent(JarEntry entry) {
        String name = entry.getName();
        return !entry.isDirectory()
                && !name.startsWith("META-INF/")
                && !name.startsWith(LOADER)
                && !name.startsWith(attributes.getValue(CLASSES))
                && !name.startsWith(attributes.getValue(LIBRARIES))
                && !name.startsWith(PROVIDED)
                && !(name.startsWith(OF_WARS) && name.endsWith(".idx"));
    }

    /**
     * Writes the class path into a directory, in place of what was there.
     *
     * @return the application's own classes as a jar whose manifest names the class to start, then the libraries
     */
    public List<Path> unpack(Path directory) throws IOException {
        DirectoryTree.delete(directory);
        Path libraries = Files.createDirectories(directory.resolve("lib"));
        Path classes = directory.resolve(jar.getFileName().toString().replaceAll("\\.war$", ".jar"));
        return Jar.read(jar, open -> {
            List<Path> classPath = new ArrayList<>();
            classPath.add(writeClasses(open, classes));
            classPath.addAll(unpackLibraries(open, libraries));
            return classPath;
        });
    }

    private List<Path> unpackLibraries(JarFile file, Path directory) throws IOException {
        List<Path> libraries = new ArrayList<>();
        for (String name : libraryNames(file)) {
            JarEntry entry = file.getJarEntry(name);
            Path library = directory.resolve(name.substring(name.lastIndexOf('/') + 1));
            if (entry == null) {
                throw new ExplainedException(jar + " lists " + name + " but does not contain it. Build the jar again.");
            }
            if (!library.getFileName().toString().startsWith(TOOLS)) {
                extract(file, entry, library);
                libraries.add(library);
            }
        }
        return libraries;
    }

    private Path writeClasses(JarFile file, Path to) throws IOException {
        return FileTrouble.on(to, () -> {
            try (OutputStream out = Files.newOutputStream(to);
                    JarOutputStream entries = new JarOutputStream(out)) {
                put(entries, file.getJarEntry(JarFile.MANIFEST_NAME), JarFile.MANIFEST_NAME);
                manifest().write(entries);
                copyClasses(file, entries);
            }
            return to;
        });
    }

    private void copyClasses(JarFile file, JarOutputStream entries) throws IOException {
        String classes = attributes.getValue(CLASSES);
        for (JarEntry entry : (Iterable<JarEntry>) file.stream()::iterator) {
            String name = nameOutside(entry.getName(), classes);
            if (!name.isEmpty()) {
                put(entries, entry, name);
                try (InputStream in = file.getInputStream(entry)) {
                    in.transferTo(entries);
                }
            }
        }
    }

    /** Where an entry of the executable jar belongs in an ordinary one; empty: nowhere. */
    private static String nameOutside(String name, String classes) {
        if (name.startsWith(classes)) {
            return name.substring(classes.length());
        }
        boolean kept = name.startsWith("META-INF/")
                && !name.equals(JarFile.MANIFEST_NAME)
                && !name.startsWith(LOADER_SERVICES)
                && !name.equals("META-INF/");
        return kept ? name : "";
    }

    private Manifest manifest() {
        Manifest manifest = new Manifest();
        attributes.forEach((name, value) -> {
            if (!name.toString().startsWith("Spring-Boot-") && !name.equals(START_CLASS)) {
                manifest.getMainAttributes().put(name, value);
            }
        });
        String start = attributes.getValue(START_CLASS);
        if (start == null) {
            manifest.getMainAttributes().remove(Attributes.Name.MAIN_CLASS);
        } else {
            manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, start);
        }
        return manifest;
    }

    private static void put(JarOutputStream entries, JarEntry from, String name) throws IOException {
        JarEntry entry = new JarEntry(name);
        entry.setTime(from.getTime());
        entries.putNextEntry(entry);
    }

    /** The libraries in the order of the index, or without one in that of the jar. */
    private List<String> libraryNames(JarFile file) throws IOException {
        Set<String> names = new LinkedHashSet<>(ownLibraryNames(file));
        file.stream()
                .map(JarEntry::getName)
                .filter(name -> isWar() && name.startsWith(PROVIDED) && name.endsWith(".jar"))
                .forEach(names::add);
        return List.copyOf(names);
    }

    private List<String> ownLibraryNames(JarFile file) throws IOException {
        String index = attributes.getValue(ORDER);
        JarEntry order = index == null ? null : file.getJarEntry(index);
        if (order == null) {
            String directory = attributes.getValue(LIBRARIES);
            return file.stream()
                    .map(JarEntry::getName)
                    .filter(name -> name.startsWith(directory) && name.endsWith(".jar"))
                    .toList();
        }
        try (InputStream in = file.getInputStream(order)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(ORDER_LINE::matcher)
                    .filter(Matcher::matches)
                    .map(line -> line.group(1))
                    .toList();
        }
    }
}
