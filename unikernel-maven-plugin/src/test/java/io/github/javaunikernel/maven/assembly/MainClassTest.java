// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainClassTest {

    private static final String WITH = "class %s { long a = 1L; double b = 2; static int f;"
            + " public static void main(String[] a) { Runnable r = () -> System.out.println(f); } }";
    private static final String WITHOUT = "class %s { public void main(String[] a) { } static void main() { } }";

    @TempDir
    private Path scratch;

    @Test
    void theOnlyOneIsFound() throws Exception {
        Path jar = Jars.jar(scratch, "app", null, "A", WITH.formatted("A"), "B", WITHOUT.formatted("B"));
        assertEquals("A", MainClass.find(null, List.of(jar), 17));
    }

    @Test
    void theManifestWins() throws Exception {
        Path jar = Jars.jar(scratch, "app", "B", "A", WITH.formatted("A"), "B", WITH.formatted("B"));
        assertEquals("B", MainClass.find(null, List.of(jar), 17));
        assertEquals("A", MainClass.find("A", List.of(jar), 17));
    }

    @Test
    void aMainClassMayComeFromADependency() throws Exception {
        Path app = Jars.jar(scratch, "app", null, "A", WITHOUT.formatted("A"));
        Path library = Jars.jar(scratch, "library", null, "L", WITH.formatted("L"));
        assertEquals("L", MainClass.find("L", List.of(app, library), 17));
    }

    @Test
    void noneAndSeveralAndMissingAreErrors() throws Exception {
        Path none = Jars.jar(scratch, "none", null, "A", WITHOUT.formatted("A"));
        Path two = Jars.jar(scratch, "two", null, "A", WITH.formatted("A"), "B", WITH.formatted("B"));
        Path gone = Jars.jar(scratch, "gone", "org.example.Gone", "A", WITH.formatted("A"));
        assertRefused("No class of none.jar has", null, none);
        assertRefused("Several classes of two.jar have a main method: A, B.", null, two);
        assertRefused("org.example.Gone is named by the manifest of gone.jar", null, gone);
        assertRefused("main class X is configured", "X", two);
    }

    @Test
    void fromJava25OnOtherMainMethodsAreStarted() throws Exception {
        String[] started = {
            "class %s { void main() { } }",
            "class %s { static void main() { } }",
            "class %s { protected void main(String[] a) { } }",
            "interface %s { static void main() { } }"
        };
        String[] notStarted = {
            "class %s { private void main() { } }",
            "abstract class %s { void main() { } }",
            "class %s { %1$s(int a) { } void main() { } }",
            "class %s { int main() { return 1; } }"
        };
        for (int i = 0; i < 4; i++) {
            Path yes = Jars.jar(Files.createTempDirectory(scratch, "yes"), "app", null, "A", started[i].formatted("A"));
            assertEquals("A", MainClass.find(null, List.of(yes), 25), started[i]);
            assertEquals("A", MainClass.find("A", List.of(yes), 25), started[i]);
            assertRefused("Java 17 does not start the main method of A; Java 25 does.", null, yes);
            assertRefused("Java 17 does not start the main method of A; Java 25 does.", "A", yes);
            Path no =
                    Jars.jar(Files.createTempDirectory(scratch, "no"), "app", null, "A", notStarted[i].formatted("A"));
            assertRefused("No class of app.jar has", null, no, 25);
            assertRefused("main class A is configured, but it has no", "A", no, 25);
        }
    }

    @Test
    void theClassicMainMethodComesFirst() throws Exception {
        Path jar = Jars.jar(scratch, "app", null, "A", WITH.formatted("A"), "B", "class B { void main() { } }");
        assertEquals("A", MainClass.find(null, List.of(jar), 25));
        assertEquals("B", MainClass.find("B", List.of(jar), 25));
    }

    @Test
    void aMainMethodMayBeInherited() throws Exception {
        Path jar = Jars.jar(scratch, "app", null, "A", WITH.formatted("A"), "B", "class B extends A { }");
        assertEquals("B", MainClass.find("B", List.of(jar), 17));
    }

    private static void assertRefused(String words, String asked, Path jar) {
        assertRefused(words, asked, jar, 17);
    }

    private static void assertRefused(String words, String asked, Path jar, int feature) {
        SettingException refused =
                assertThrows(SettingException.class, () -> MainClass.find(asked, List.of(jar), feature));
        assertEquals("mainClass", refused.parameter());
        assertTrue(refused.getMessage().contains(words), refused.getMessage());
    }
}
