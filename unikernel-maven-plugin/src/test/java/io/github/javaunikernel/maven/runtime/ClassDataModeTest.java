// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassDataModeTest {

    private static final JavaHome JAVA_17 = new JavaHome(Path.of("jdk"), Map.of("JAVA_VERSION", "17.0.15"));
    private static final JavaHome JAVA_25 = new JavaHome(Path.of("jdk"), Map.of("JAVA_VERSION", "25.0.3"));

    @TempDir
    private Path scratch;

    private Path missing;
    private Path list;

    @BeforeEach
    void write() throws Exception {
        missing = scratch.resolve("missing");
        list = Files.createFile(scratch.resolve("list"));
    }

    @Test
    void aListMakesClassDataOfTheApplicationTheDefault() throws Exception {
        assertEquals(ClassDataMode.APP, ClassDataMode.of(null, list, JAVA_17));
        assertEquals(ClassDataMode.APP, ClassDataMode.of(null, list, JAVA_25));
        assertEquals(ClassDataMode.OFF, ClassDataMode.of(null, missing, JAVA_17));
        assertEquals(ClassDataMode.JDK, ClassDataMode.of(null, missing, JAVA_25));
    }

    @Test
    void theParameterDecides() throws Exception {
        assertEquals(ClassDataMode.OFF, ClassDataMode.of("off", list, JAVA_25));
        assertEquals(ClassDataMode.JDK, ClassDataMode.of("jdk", list, JAVA_17));
        assertEquals(ClassDataMode.APP, ClassDataMode.of("app", list, JAVA_17));
        assertEquals(ClassDataMode.AOT, ClassDataMode.of("aot", missing, JAVA_25));
    }

    @Test
    void refusalsEndWithTheFix() {
        assertRefused(
                "There is no class list " + missing + ".",
                "Record one with 'mvn unikernel:train', or set it to jdk.",
                "app");
        assertRefused("'true' is not a kind of class data.", "Set it to off, jdk, app or aot.", "true");
    }

    @Test
    void olderVersionsOfJavaHaveNoAotCache() {
        JavaHome java24 = new JavaHome(Path.of("jdk"), Map.of("JAVA_VERSION", "24.0.2"));
        for (JavaHome jdk : List.of(JAVA_17, java24)) {
            assertRefused(
                    "The AOT cache needs Java 25 or later, and the image gets Java " + jdk.feature() + ".",
                    "Set it to app, or choose a newer JDK with jdkHome.",
                    "aot",
                    jdk);
        }
    }

    private void assertRefused(String words, String fix, String text) {
        assertRefused(words, fix, text, JAVA_25);
    }

    private void assertRefused(String words, String fix, String text, JavaHome jdk) {
        SettingException e = assertThrows(SettingException.class, () -> ClassDataMode.of(text, missing, jdk));
        assertEquals("cds", e.parameter());
        assertTrue(e.getMessage().contains(words), e.getMessage());
        assertTrue(e.getMessage().endsWith(fix), e.getMessage());
    }
}
