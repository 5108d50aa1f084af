// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.runtime.ClassFile;
import io.github.javaunikernel.maven.runtime.Jar;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/** Finds the class to start: the one asked for, that of the jar's manifest, or the only one with a main method. */
public final class MainClass {

    private static final String PARAMETER = "mainClass";
    private static final String CLASSIC = "public static void main(String[])";
    /**
     * From here on other main methods are started, too: of instances, without arguments, and such that are not public.
     */
    private static final int INSTANCE_MAIN = 25;

    private static final int MAX_PARENTS = 100;
    /** Classes that extend it are started without a main method. */
    private static final String JAVAFX = "javafx/application/Application";

    private final List<Path> jars;
    private final int feature;

    private MainClass(List<Path> jars, int feature) {
        this.jars = jars;
        this.feature = feature;
    }

    /**
     * Returns the class and proves that it is there and can be started.
     *
     * @param asked by the user, or null
     * @param jars every jar, the application's first
     * @param feature version of the Java that starts it
     */
    static String find(String asked, List<Path> jars, int feature) throws SettingException, IOException {
        MainClass search = new MainClass(jars, feature);
        if (asked != null) {
            return search.checked(asked, "is configured");
        }
        Path jar = jars.get(0);
        String named = inManifest(jar);
        return named == null
                ? search.onlyOneOf(jar)
                : search.checked(named, "is named by the manifest of " + jar.getFileName());
    }

    private String onlyOneOf(Path jar) throws SettingException, IOException {
        Set<String> candidates = candidates(jar, ClassFile::hasMain);
        Set<String> others = candidates.isEmpty() ? candidates(jar, ClassFile::hasInstanceMain) : Set.of();
        if (feature >= INSTANCE_MAIN && !others.isEmpty()) {
            candidates = others;
        }
        if (candidates.isEmpty()) {
            throw new SettingException(
                    PARAMETER,
                    "No class of " + jar.getFileName() + " has a '" + CLASSIC + "'." + tooEarly(others),
                    others.isEmpty()
                            ? "Write one or name the class to start."
                            : "Write one, or set jdkHome to a JDK " + INSTANCE_MAIN + " or later.");
        }
        if (candidates.size() > 1) {
            throw new SettingException(
                    PARAMETER,
                    "Several classes of " + jar.getFileName() + " have a main method: " + String.join(", ", candidates)
                            + ".",
                    "Name the one to start.");
        }
        return candidates.iterator().next();
    }

    private String tooEarly(Set<String> others) {
        return others.isEmpty()
                ? ""
                : " Java " + feature + " does not start the main method of " + String.join(", ", others) + "; Java "
                        + INSTANCE_MAIN + " does.";
    }

    private String checked(String name, String why) throws SettingException, IOException {
        Optional<ClassFile> found = read(name.replace('.', '/'));
        if (found.isEmpty()) {
            throw new SettingException(
                    PARAMETER,
                    "The main class " + name + " " + why
                            + ", but neither the application nor its dependencies have it.",
                    "Correct the name, with its package, or add the dependency that has it.");
        }
        if (!canStart(found.get())) {
            throw new SettingException(
                    PARAMETER,
                    "The main class " + name + " " + why + ", but it has no '" + CLASSIC + "'."
                            + tooEarly(found.get().hasInstanceMain() ? Set.of(name) : Set.of()),
                    "Write one or name another class.");
        }
        return name;
    }

    /**
     * Main methods are inherited; what a class inherits from outside of the jars is not known, and taken for enough.
     */
    private boolean canStart(ClassFile file) throws IOException {
        Optional<ClassFile> here = Optional.of(file);
        for (int depth = 0; depth < MAX_PARENTS && here.isPresent(); depth++) {
            ClassFile one = here.get();
            if (one.hasMain() || feature >= INSTANCE_MAIN && one.hasInstanceMain()) {
                return true;
            }
            if (JAVAFX.equals(one.parent())) {
                return true;
            }
            if (one.parent() == null || one.parent().equals("java/lang/Object")) {
                return false;
            }
            here = read(one.parent());
        }
        return true;
    }

    private Optional<ClassFile> read(String name) throws IOException {
        for (Path jar : jars) {
            Optional<ClassFile> found = Jar.read(jar, open -> {
                JarEntry entry = open.getJarEntry(name + ".class");
                return entry == null ? Optional.empty() : Optional.of(read(jar, open, entry));
            });
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    private static ClassFile read(Path jar, JarFile file, JarEntry entry) throws IOException {
        try (InputStream in = file.getInputStream(entry)) {
            return ClassFile.read(in);
        } catch (IOException e) {
            throw new ExplainedException(
                    jar + " has a class file that cannot be read, " + entry.getName() + ": " + FileTrouble.reason(e)
                            + ". Build the jar again.",
                    e);
        }
    }

    /** Whether the manifest of the jar names one. */
    public static boolean isNamedBy(Path jar) throws IOException {
        return inManifest(jar) != null;
    }

    /** Whether a class of the jar has a main method that every Java starts. */
    public static boolean isIn(Path jar) throws IOException {
        return !candidates(jar, ClassFile::hasMain).isEmpty();
    }

    private static String inManifest(Path jar) throws IOException {
        return Jar.attributes(jar).getValue(Attributes.Name.MAIN_CLASS);
    }

    private static Set<String> candidates(Path jar, Predicate<ClassFile> starts) throws IOException {
        return Jar.read(jar, open -> {
            Set<String> names = new TreeSet<>();
            for (JarEntry entry : (Iterable<JarEntry>) open.stream().filter(MainClass::isClass)::iterator) {
                ClassFile read = read(jar, open, entry);
                if (starts.test(read)) {
                    names.add(read.name().replace('/', '.'));
                }
            }
            return names;
        });
    }

    private static boolean isClass(JarEntry entry) {
        String name = entry.getName();
        return name.endsWith(".class") && !name.startsWith("META-INF/") && !name.endsWith("module-info.class");
    }
}
