// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassVersionsTest {

    private static final String FIX = "Set it to a JDK of that version or later, or compile for Java 17"
            + " ('maven.compiler.release', or an older version of the dependency).";

    @TempDir
    private Path scratch;

    private final List<String> warnings = new ArrayList<>();

    @Test
    void newerClassesAreAnErrorThatNamesOne() throws Exception {
        Path jar = jar("A", "B", "C");
        check(jar);
        raise(jar, "A");
        SettingException refused = assertThrows(SettingException.class, () -> check(jar));
        assertEquals(
                "The runtime is Java 17 and cannot load app.jar: it has the class A, compiled for Java 25."
                        + " [parameter jdkHome, -Dunikernel.jdkHome] " + FIX,
                refused.getMessage());
    }

    @Test
    void aFewThatAreNotStartedAreAWarning() throws Exception {
        Path jar = jar("A", "B", "C");
        raise(jar, "C");
        check(jar);
        assertEquals(
                "[app.jar has 1 of 3 classes that Java 17 cannot load, such as C, compiled for Java 25."
                        + " Set jdkHome to a newer JDK if they are in use.]",
                warnings.toString());
        raise(jar, "B");
        assertThrows(SettingException.class, () -> check(jar));
    }

    @Test
    void aJarThatTheProgramLoadsByItselfIsAWarning() throws Exception {
        Path jar = jar("B");
        raise(jar, "B");
        new ClassVersions(17, warnings::add).check(List.of(), List.of(jar), "A");
        assertEquals(
                "[app.jar has 1 of 1 classes that Java 17 cannot load, such as B, compiled for Java 25."
                        + " Set jdkHome to a newer JDK if they are in use.]",
                warnings.toString());
        assertThrows(
                SettingException.class, () -> new ClassVersions(17, warnings::add).check(List.of(), List.of(jar), "B"));
    }

    private void check(Path jar) throws Exception {
        new ClassVersions(17, warnings::add).check(List.of(jar), List.of(), "A");
    }

    private Path jar(String... names) throws Exception {
        List<String> sources = new ArrayList<>();
        for (String name : names) {
            sources.addAll(List.of(name, "class " + name + " { }"));
        }
        return Jars.jar(scratch, "app", "A", sources.toArray(String[]::new));
    }

    /** Makes a class one of Java 25. */
    private static void raise(Path jar, String name) throws Exception {
        try (var zip = FileSystems.newFileSystem(jar)) {
            byte[] bytes = Files.readAllBytes(zip.getPath(name + ".class"));
            bytes[7] = 69;
            Files.write(zip.getPath(name + ".class"), bytes);
        }
    }
}
