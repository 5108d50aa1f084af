// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavaHomeTest {

    private static final String GOOD = """
            IMPLEMENTOR="Someone"
            JAVA_VERSION="21.0.5"
            JAVA_RUNTIME_VERSION="21.0.5+11-LTS"
            MODULES="java.base java.logging"
            OS_ARCH="x86_64"
            OS_NAME="Linux"
            """;

    @TempDir
    private Path home;

    @Test
    void readsTheReleaseFile() throws Exception {
        JavaHome jdk = home(GOOD);
        assertEquals(21, jdk.feature());
        assertEquals("21.0.5", jdk.version());
        assertEquals("21.0.5+11-LTS", jdk.runtimeVersion());
        assertEquals("Someone", jdk.vendor());
        assertEquals("[java.base, java.logging]", jdk.modules().toString());
    }

    @Test
    void readsTheJavaOfThisBuild() throws Exception {
        JavaHome jdk = JavaHome.at(Path.of(System.getProperty("java.home")));
        assertEquals(Runtime.version().feature(), jdk.feature());
        assertTrue(jdk.modules().contains("jdk.httpserver"));
    }

    @Test
    void refusesWhatCannotRunInTheGuest() {
        assertRefused(
                "is a JDK for Darwin aarch64", GOOD.replace("Linux", "Darwin").replace("x86_64", "aarch64"));
        assertRefused("is a JDK for the C library musl", GOOD + "LIBC=\"musl\"\n");
        assertRefused("is Java 11.0.2", GOOD.replace("21.0.5", "11.0.2"));
        assertRefused("has no file 'release'", null);
    }

    @Test
    void refusesARuntimeWithoutModules() throws Exception {
        Files.writeString(home.resolve("release"), GOOD);
        assertTrue(assertThrows(SettingException.class, () -> JavaHome.at(home))
                .getMessage()
                .contains("it is a JRE"));
    }

    private void assertRefused(String words, String release) {
        SettingException refused = assertThrows(SettingException.class, () -> home(release));
        assertEquals("jdkHome", refused.parameter());
        assertTrue(refused.getMessage().contains(words), refused.getMessage());
        assertTrue(refused.getMessage().endsWith("for Linux on x86-64 with glibc."), refused.getMessage());
    }

    private JavaHome home(String release) throws Exception {
        Files.createDirectories(home.resolve("jmods"));
        Files.deleteIfExists(home.resolve("release"));
        if (release != null) {
            Files.writeString(home.resolve("release"), release);
        }
        return JavaHome.at(home);
    }
}
