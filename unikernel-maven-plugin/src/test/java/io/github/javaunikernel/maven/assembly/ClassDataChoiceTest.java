// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.boot.GivenOptions;
import io.github.javaunikernel.maven.runtime.ClassDataMode;
import io.github.javaunikernel.maven.runtime.JavaHome;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassDataChoiceTest {

    private static final JavaHome JAVA_17 = new JavaHome(Path.of("jdk"), Map.of("JAVA_VERSION", "17.0.15"));
    private static final JavaHome JAVA_25 = new JavaHome(Path.of("jdk"), Map.of("JAVA_VERSION", "25.0.3"));

    @TempDir
    private Path scratch;

    @Test
    void whatIsWantedIsChosen() throws Exception {
        for (ClassDataMode wanted : ClassDataMode.values()) {
            assertEquals(
                    new ClassDataChoice(wanted, true, ""),
                    choice(wanted, false, Map.of(), "-Xmx54m", "-XX:+UseSerialGC", "-XX:ObjectAlignmentInBytes=8"));
        }
    }

    @Test
    void anOptionThatRulesOutEveryArchiveIsNamed() throws Exception {
        for (String option : List.of(
                "-Xshare:off",
                "-XX:+UseZGC",
                "-XX:-UseCompressedOops",
                "-XX:-UseCompressedClassPointers",
                "-XX:ObjectAlignmentInBytes=16",
                "--patch-module=java.base=x",
                "--limit-modules",
                "-XX:+UseCompactObjectHeaders")) {
            for (ClassDataMode wanted : List.of(ClassDataMode.JDK, ClassDataMode.APP)) {
                assertEquals(
                        new ClassDataChoice(
                                ClassDataMode.OFF,
                                false,
                                "The image has no class data, since the JVM would ignore them: the option " + option),
                        choice(wanted, false, Map.of(), "-Xmx54m", option));
            }
            assertEquals("", choice(ClassDataMode.OFF, false, Map.of(), option).note());
        }
    }

    @Test
    void aHeapWithLongReferencesRulesThemOut() throws Exception {
        assertEquals(
                "", choice(ClassDataMode.APP, false, Map.of(), "-Xmx32767m").note());
        for (String heap : List.of("-Xmx32768m", "-Xmx32g")) {
            assertEquals(
                    "The image has no class data, since the JVM would ignore them: its heap is 32 GiB or larger",
                    choice(ClassDataMode.APP, false, Map.of(), heap).note());
        }
    }

    @Test
    void whatRulesOutTheApplicationLeavesTheJdk() throws Exception {
        for (String option :
                List.of("-XX:SharedArchiveFile=/a.jsa", "-XX:AOTCache=/a.aot", "-Djava.system.class.loader=A")) {
            assertEquals(
                    new ClassDataChoice(
                            ClassDataMode.JDK, false, "The image has class data of the JDK only: the option " + option),
                    choice(ClassDataMode.APP, false, Map.of(), option));
            assertEquals("", choice(ClassDataMode.JDK, false, Map.of(), option).note());
        }
        assertEquals(
                "The image has class data of the JDK only: the application runs as a module",
                choice(ClassDataMode.APP, true, Map.of()).note());
        assertEquals(
                "The image has class data of the JDK only: the manifest of the application names an agent",
                choice(ClassDataMode.APP, false, Map.of("Launcher-Agent-Class", "Hello"))
                        .note());
    }

    @Test
    void classesAreLinkedInAdvanceWhereNoOptionForbidsIt() {
        assertTrue(ClassDataChoice.isLinked(JAVA_25, options("-Xmx54m", "-Da=b")));
        assertFalse(ClassDataChoice.isLinked(JAVA_17, options()));
        for (String option : List.of(
                "-javaagent:a.jar",
                "-agentlib:jdwp=x",
                "--add-opens=java.base/java.lang=ALL-UNNAMED",
                "--add-modules",
                "--enable-native-access=ALL-UNNAMED")) {
            assertFalse(ClassDataChoice.isLinked(JAVA_25, options(option)), option);
        }
        assertFalse(ClassDataChoice.isLinked(
                JAVA_25, new GivenOptions(List.of(), Map.of("JAVA_TOOL_OPTIONS", "-javaagent:a.jar"))));
    }

    private ClassDataChoice choice(
            ClassDataMode wanted, boolean asModule, Map<String, String> attributes, String... options)
            throws Exception {
        Path jar = Jars.with(scratch, "hello", attributes);
        Application application = new Application(
                null,
                List.of(new Application.Jar(jar, "a")),
                List.of(),
                null,
                asModule,
                List.of(),
                Map.of(),
                List.of(),
                List.of(),
                Map.of());
        return ClassDataChoice.of(wanted, application, Launch.of(application, "Hello"), options(options));
    }

    private static GivenOptions options(String... options) {
        return new GivenOptions(List.of(options), Map.of());
    }
}
