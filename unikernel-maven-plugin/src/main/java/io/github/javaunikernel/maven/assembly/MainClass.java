package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.runtime.ClassFile;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.Manifest;

/** Finds the class to start: the one asked for, that of the jar's manifest, or the only one with a main method. */
final class MainClass {

    private static final String PARAMETER = "mainClass";

    private MainClass() {
    }

    /**
     * Returns the class and proves that it is there.
     *
     * @param asked by the user, or null
     * @param classPath the application's jar first
     */
    static String find(String asked, List<Path> classPath) throws SettingException, IOException {
        if (asked != null) {
            return checked(asked, "was asked for", classPath);
        }
        Path jar = classPath.get(0);
        String named = inManifest(jar);
        if (named != null) {
            return checked(named, "is named by the manifest of " + jar.getFileName(), classPath);
        }
        Set<String> candidates = candidates(jar);
        if (candidates.isEmpty()) {
            throw new SettingException(PARAMETER, "No class of " + jar.getFileName()
                    + " has a 'public static void main(String[])'.", "Write one or name the class to start.");
        }
        if (candidates.size() > 1) {
            throw new SettingException(PARAMETER, "Several classes of " + jar.getFileName() + " have a main method: "
                    + String.join(", ", candidates) + ".", "Name the one to start.");
        }
        return candidates.iterator().next();
    }

    private static String checked(String name, String why, List<Path> classPath) throws SettingException, IOException {
        String entry = name.replace('.', '/') + ".class";
        for (Path jar : classPath) {
            try (JarFile file = new JarFile(jar.toFile())) {
                if (file.getEntry(entry) != null) {
                    return name;
                }
            }
        }
        throw new SettingException(PARAMETER, "The main class " + name + " " + why
                + ", but neither the application nor its dependencies have it.",
                "Correct the name, with its package, or add the dependency that has it.");
    }

    private static String inManifest(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            Manifest manifest = file.getManifest();
            return manifest == null ? null : manifest.getMainAttributes().getValue(Attributes.Name.MAIN_CLASS);
        }
    }

    private static Set<String> candidates(Path jar) throws IOException {
        Set<String> names = new TreeSet<>();
        try (JarFile file = new JarFile(jar.toFile())) {
            for (var entry : (Iterable<JarEntry>) file.stream()::iterator) {
                boolean candidate = entry.getName().endsWith(".class") && !entry.getName().startsWith("META-INF/")
                        && !entry.getName().endsWith("module-info.class");
                if (candidate) {
                    try (InputStream in = file.getInputStream(entry)) {
                        ClassFile read = ClassFile.read(in);
                        if (read.hasMain()) {
                            names.add(read.name().replace('/', '.'));
                        }
                    } catch (IOException e) {
                        throw new IOException(jar + " has a class file that cannot be read, " + entry.getName()
                                + ": " + e.getMessage() + ". Build the jar again.", e);
                    }
                }
            }
        }
        return names;
    }
}
