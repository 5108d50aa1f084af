// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code java -jar} does, and what the image does instead, side by side. */
class LaunchTest {

    private static final String PROGRAM = """
            public class Main {
                static String agent = "no agent";
                public static void agentmain(String options, java.lang.instrument.Instrumentation tools) {
                    agent = "an agent that may redefine: " + tools.isRedefineClassesSupported();
                }
                public static void main(String[] args) throws Exception {
                    var field = Integer.class.getDeclaredField("value");
                    String opened;
                    try {
                        field.setAccessible(true);
                        opened = "opened";
                    } catch (RuntimeException e) {
                        opened = "closed";
                    }
                    System.out.println(agent + ", " + opened + ", " + Library.NAME);
                }
            }
            """;

    @TempDir
    private Path scratch;

    @Test
    void theManifestCountsAsForJavaJar() throws Exception {
        Path library = Jars.with(
                scratch,
                "a library",
                Map.of(),
                "Library",
                "public class Library {" + " public static final String NAME = String.valueOf(\"library\"); }");
        for (boolean opens : List.of(false, true)) {
            for (boolean agent : List.of(false, true)) {
                Map<String, String> attributes = new java.util.TreeMap<>(
                        Map.of("Main-Class", "Main", "Class-Path", "a%20library.jar", "Can-Redefine-Classes", "true"));
                if (opens) {
                    attributes.put("Add-Opens", "java.base/java.lang no.such/none java.base/java.util");
                }
                if (agent) {
                    attributes.put("Launcher-Agent-Class", "Main");
                }
                Path jar = Jars.with(
                        scratch,
                        "app",
                        attributes,
                        "Main",
                        PROGRAM,
                        "Library",
                        "public class Library { public static final String NAME = String.valueOf(\"library\"); }");
                List<String> expected = run(List.of("-jar", jar.toString()));
                assertEquals(expected, run(command(jar, library)), attributes.toString());
                assertEquals(
                        (agent ? "an agent that may redefine: true" : "no agent") + ", " + (opens ? "opened" : "closed")
                                + ", library",
                        expected.get(expected.size() - 1));
            }
        }
    }

    @Test
    void nativeAccessIsForVersionsThatKnowIt() throws Exception {
        Path jar = Jars.with(
                scratch,
                "app",
                Map.of("Enable-Native-Access", "ALL-UNNAMED", "Add-Exports", "java.base/sun.net"),
                "A",
                "class A { }");
        Launch launch = Launch.of(application(false, jar), "A");
        assertEquals(List.of("--add-exports=java.base/sun.net=ALL-UNNAMED"), launch.options(Set.of("java.base"), 17));
        assertEquals(
                List.of("--add-exports=java.base/sun.net=ALL-UNNAMED", "--enable-native-access=ALL-UNNAMED"),
                launch.options(Set.of("java.base"), 22));
        assertFalse(launch.hasAgent());
    }

    @Test
    void aModuleIsStartedAsOne() throws Exception {
        Path jar = Jars.with(
                scratch,
                "app",
                Map.of("Add-Opens", "java.base/java.lang"),
                "module-info",
                "module demo { }",
                "demo/Main",
                "package demo; public class Main { public static void main(String[] a) {"
                        + " System.out.println(Main.class.getModule()); } }");
        Launch launch = Launch.of(application(true, jar), "demo.Main");
        assertEquals(List.of(), launch.options(Set.of("java.base"), 17));
        assertEquals(
                List.of("--module-path", "/app/app.jar:/app/lib/b.jar", "--module", "demo/demo.Main"),
                launch.command(List.of("/app/app.jar", "/app/lib/b.jar")));
        assertEquals(List.of("module demo"), run(launch.command(List.of(jar.toString()))));
        Path plain = Jars.with(scratch, "plain", Map.of(), "A", "class A { }");
        SettingException refused = assertThrows(
                SettingException.class,
                () -> Launch.of(application(true, plain), "A").command(List.of()));
        assertTrue(refused.getMessage().contains("plain.jar is not a module"), refused.getMessage());
    }

    private List<String> command(Path jar, Path library) throws Exception {
        Launch launch = Launch.of(application(false, jar, library), "Main");
        List<String> classPath = List.of(jar.toString(), library.toString());
        List<String> command = new ArrayList<>(
                launch.options(Set.of("java.base"), Runtime.version().feature()));
        List<String> program = new ArrayList<>(launch.command(classPath));
        if (launch.hasAgent()) {
            Path launcher = scratch.resolve("launcher.jar");
            Files.write(launcher, launch.launcher(classPath, Instant.parse("2026-01-01T00:00:00Z")));
            program.replaceAll(word -> word.equals(Paths.LAUNCHER) ? launcher.toString() : word);
        }
        command.addAll(program);
        return command;
    }

    private static Application application(boolean asModule, Path... jars) {
        return new Application(
                null,
                java.util.Arrays.stream(jars)
                        .map(jar -> new Application.Jar(jar, "test"))
                        .toList(),
                List.of(),
                null,
                asModule,
                List.of(),
                Map.of(),
                List.of(),
                List.of(),
                Map.of());
    }

    private static List<String> run(List<String> options) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
        command.addAll(options);
        Process java = new ProcessBuilder(command).redirectErrorStream(true).start();
        List<String> output =
                new String(java.getInputStream().readAllBytes()).lines().toList();
        assertEquals(0, java.waitFor(), output.toString());
        return output;
    }
}
