// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    }

    @Test
    void refusalsEndWithTheFix() {
        assertRefused(
                "There is no class list " + missing + ".",
                "Record one with 'mvn unikernel:train', or set it to jdk.",
                "app");
        assertRefused("AOT cache", "Set it to app.", "aot");
        assertRefused("'true' is not a kind of class data.", "Set it to off, jdk or app.", "true");
    }

    private void assertRefused(String words, String fix, String text) {
        SettingException e = assertThrows(SettingException.class, () -> ClassDataMode.of(text, missing, JAVA_25));
        assertEquals("cds", e.parameter());
        assertTrue(e.getMessage().contains(words), e.getMessage());
        assertTrue(e.getMessage().endsWith(fix), e.getMessage());
    }
}
