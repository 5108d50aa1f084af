// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Layouts that builds give to applications. */
class LayoutsTest {

    @TempDir
    private Path scratch;

    @Test
    void aJarThatHoldsADependencyTakesItOnce() throws Exception {
        Path own = Jars.with(
                scratch,
                "own",
                Map.of(),
                "Main",
                "class Main { }",
                "l/One",
                "package l; class One { }",
                "l/Two",
                "package l; class Two { }");
        put(own, "META-INF/maven/g/moved/pom.properties", "version=1");
        put(own, "texts/a.txt", "a");
        Path library = Jars.with(scratch, "library", Map.of(), "l/One", "package l; class One { }");
        Path part = Jars.with(
                scratch,
                "part",
                Map.of(),
                "l/Two",
                "package l; class Two { }",
                "l/Three",
                "package l; class Three { }");
        Path moved = Jars.with(scratch, "moved", Map.of(), "o/A", "package o; class A { }");
        Path texts = Jars.with(scratch, "texts", Map.of());
        put(texts, "texts/a.txt", "a");
        Path bare = Jars.with(scratch, "bare", Map.of());
        UberJar uberJar = UberJar.of(own);
        assertTrue(uberJar.holds(library, "g", "library"));
        assertFalse(uberJar.holds(part, "g", "part"));
        assertTrue(uberJar.holds(moved, "g", "moved"));
        assertFalse(uberJar.holds(moved, "h", "moved"));
        assertTrue(uberJar.holds(texts, "g", "texts"));
        assertFalse(uberJar.holds(bare, "g", "bare"));
    }

    @Test
    void whatClassPathNamesComesAlong() throws Exception {
        Path target = Files.createDirectories(scratch.resolve("target"));
        Path own = Jars.with(
                target,
                "own",
                Map.of("Class-Path", "conf/ more/first.jar more/known.jar no.jar ../up.jar http://h/x"),
                "Main",
                "class Main { }");
        Files.createDirectories(target.resolve("conf/deep"));
        Files.writeString(target.resolve("conf/a.properties"), "a=b");
        Files.writeString(target.resolve("conf/deep/b.properties"), "a=b");
        Jars.with(
                Files.createDirectories(target.resolve("more")),
                "first",
                Map.of("Class-Path", "second.jar ../own.jar"));
        Jars.with(target.resolve("more"), "second", Map.of());
        Jars.with(target.resolve("more"), "known", Map.of());
        Jars.with(scratch, "up", Map.of());
        assertEquals(
                List.of(
                        "/app/conf/a.properties",
                        "/app/conf/deep/b.properties",
                        "/app/more/first.jar",
                        "/app/more/second.jar"),
                ManifestClassPath.of(own, "/app", Set.of("known.jar")).stream()
                        .map(Application.Jar::place)
                        .toList());
    }

    @Test
    void aDirectoryIsKeptAsItIs() throws Exception {
        Path directory = Files.createDirectories(scratch.resolve("quarkus-app"));
        Path main = Jars.with(directory, "run", Map.of("Main-Class", "l.Main", "Class-Path", "lib/boot/l.jar"));
        Files.createDirectories(directory.resolve("lib/boot"));
        Path library = Jars.with(
                directory.resolve("lib/boot"),
                "l",
                Map.of(),
                "l/Main",
                "package l; public class Main { public static void main(String[] a) { } }");
        ApplicationDirectory found = ApplicationDirectory.of(directory, null);
        assertEquals(new Application.Jar(main, "file:run.jar", "/app/run.jar"), found.mainJar());
        assertTrue(found.others().contains(new Application.Jar(library, "file:lib/boot/l.jar", "/app/lib/boot/l.jar")));
        Application application = new Application(
                null,
                List.of(found.mainJar()),
                found.others(),
                null,
                false,
                List.of(),
                Map.of(),
                List.of(),
                List.of(),
                Map.of());
        assertEquals("l.Main", MainClass.find(null, application.allJars(), 17));
        assertEquals(
                main, ApplicationDirectory.of(directory, "run.jar").mainJar().file());
        assertRefused("There is no file gone.jar", directory, "gone.jar");
        assertRefused("There is no file ../x.jar", directory, "../x.jar");
        Jars.jar(directory, "other", "l.Main");
        assertRefused("More than one jar at the top of", directory, null);
    }

    /** As Open Liberty's distribution has it: the launcher is below the top, and finds bundles from there. */
    @Test
    void aLauncherBelowTheTopIsNamed() throws Exception {
        Path server = scratch.resolve("wlp");
        Path tools = Files.createDirectories(server.resolve("bin/tools"));
        Path launcher = Jars.with(tools, "ws-server", Map.of("Main-Class", "l.Main"));
        Path bundle = Jars.with(Files.createDirectories(server.resolve("lib")), "bundle", Map.of());
        Path settings = Files.createDirectories(server.resolve("usr/servers/defaultServer"))
                .resolve("server.xml");
        Files.writeString(settings, "<server/>");
        assertRefused("No jar at the top of", server, null);
        ApplicationDirectory found = ApplicationDirectory.of(server, "bin/tools/ws-server.jar");
        assertEquals(launcher, found.mainJar().file());
        assertEquals("/app/bin/tools/ws-server.jar", found.mainJar().place());
        assertEquals(
                Map.of("/app/lib/bundle.jar", bundle, "/app/usr/servers/defaultServer/server.xml", settings),
                found.others().stream().collect(Collectors.toMap(Application.Jar::place, Application.Jar::file)));
    }

    private static void assertRefused(String words, Path directory, String mainJar) {
        SettingException refused =
                assertThrows(SettingException.class, () -> ApplicationDirectory.of(directory, mainJar));
        assertEquals("mainJar", refused.parameter());
        assertTrue(refused.getMessage().contains(words), refused.getMessage());
    }

    private static void put(Path jar, String name, String content) throws IOException {
        try (var zip = FileSystems.newFileSystem(jar)) {
            Files.createDirectories(zip.getPath(name).getParent());
            Files.writeString(zip.getPath(name), content);
        }
    }
}
