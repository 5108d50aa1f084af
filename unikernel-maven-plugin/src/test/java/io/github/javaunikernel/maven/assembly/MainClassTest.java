package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
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
        assertEquals("A", MainClass.find(null, List.of(jar)));
    }

    @Test
    void theManifestWins() throws Exception {
        Path jar = Jars.jar(scratch, "app", "B", "A", WITH.formatted("A"), "B", WITH.formatted("B"));
        assertEquals("B", MainClass.find(null, List.of(jar)));
        assertEquals("A", MainClass.find("A", List.of(jar)));
    }

    @Test
    void aMainClassMayComeFromADependency() throws Exception {
        Path app = Jars.jar(scratch, "app", null, "A", WITHOUT.formatted("A"));
        Path library = Jars.jar(scratch, "library", null, "L", WITH.formatted("L"));
        assertEquals("L", MainClass.find("L", List.of(app, library)));
    }

    @Test
    void noneAndSeveralAndMissingAreErrors() throws Exception {
        Path none = Jars.jar(scratch, "none", null, "A", WITHOUT.formatted("A"));
        Path two = Jars.jar(scratch, "two", null, "A", WITH.formatted("A"), "B", WITH.formatted("B"));
        Path gone = Jars.jar(scratch, "gone", "org.example.Gone", "A", WITH.formatted("A"));
        assertRefused("No class of none.jar has", null, none);
        assertRefused("Several classes of two.jar have a main method: A, B.", null, two);
        assertRefused("org.example.Gone is named by the manifest of gone.jar", null, gone);
        assertRefused("main class X was asked for", "X", two);
    }

    private static void assertRefused(String words, String asked, Path jar) {
        SettingException refused = assertThrows(SettingException.class, () -> MainClass.find(asked, List.of(jar)));
        assertEquals("mainClass", refused.parameter());
        assertTrue(refused.getMessage().contains(words), refused.getMessage());
    }
}
