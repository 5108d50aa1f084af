// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpringBootJarTest {

    private static final long TIME = 946684800000L;
    private static final String INDEX = """
            - "BOOT-INF/lib/second.jar"
            - "BOOT-INF/lib/first.jar"
            - "BOOT-INF/lib/spring-boot-jarmode-tools-3.3.5.jar"
            """;

    @TempDir
    private Path scratch;

    @Test
    void itBecomesAnOrdinaryClassPathInTheOrderOfItsIndex() throws Exception {
        Path jar = executable(INDEX);
        Path directory = Files.createDirectories(scratch.resolve("out"));
        Files.writeString(directory.resolve("stale.jar"), "of the build before");
        List<Path> classPath = SpringBootJar.of(jar).orElseThrow().unpack(directory);
        assertEquals(
                List.of(
                        directory.resolve("app.jar"),
                        directory.resolve("lib/second.jar"),
                        directory.resolve("lib/first.jar")),
                classPath);
        assertEquals("the second library", Files.readString(classPath.get(1)));
        assertEquals("the first library", Files.readString(classPath.get(2)));
        assertFalse(Files.exists(directory.resolve("stale.jar")));
        assertEquals(
                Map.of(
                        "META-INF/maven/pom.properties",
                        "version=1",
                        "demo/App.class",
                        "class App",
                        "application.properties",
                        "a=b",
                        "META-INF/services/demo.Service",
                        "demo.App"),
                contents(classPath.get(0)));
        try (JarFile file = new JarFile(classPath.get(0).toFile())) {
            Attributes attributes = file.getManifest().getMainAttributes();
            assertEquals("demo.App", attributes.getValue(Attributes.Name.MAIN_CLASS));
            assertEquals("7", attributes.getValue(Attributes.Name.IMPLEMENTATION_VERSION));
            assertEquals(3, attributes.size());
            assertEquals(TIME, file.getEntry("demo/App.class").getTime());
        }
        byte[] before = Files.readAllBytes(classPath.get(0));
        SpringBootJar.of(jar).orElseThrow().unpack(directory);
        assertArrayEquals(before, Files.readAllBytes(classPath.get(0)));
    }

    @Test
    void withoutAnIndexTheJarsOwnOrderCounts() throws Exception {
        List<Path> classPath = SpringBootJar.of(executable(null)).orElseThrow().unpack(scratch.resolve("out"));
        assertEquals(
                List.of("app.jar", "first.jar", "second.jar"),
                classPath.stream().map(path -> path.getFileName().toString()).toList());
    }

    @Test
    void anIndexThatNamesWhatIsNotThereIsAnError() throws Exception {
        SpringBootJar jar =
                SpringBootJar.of(executable("- \"BOOT-INF/lib/gone.jar\"\n")).orElseThrow();
        IOException refused = assertThrows(IOException.class, () -> jar.unpack(scratch.resolve("out")));
        assertTrue(
                refused.getMessage()
                        .endsWith("lists BOOT-INF/lib/gone.jar but does not contain it." + " Build the jar again."),
                refused.getMessage());
    }

    @Test
    void aWarKeepsItsPagesAndTheLibrariesOfItsServer() throws Exception {
        Path war = scratch.resolve("app.war");
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.put(Attributes.Name.MAIN_CLASS, "org.springframework.boot.loader.launch.WarLauncher");
        attributes.putValue("Start-Class", "demo.App");
        attributes.putValue("Spring-Boot-Classes", "WEB-INF/classes/");
        attributes.putValue("Spring-Boot-Lib", "WEB-INF/lib/");
        try (OutputStream out = Files.newOutputStream(war);
                JarOutputStream entries = new JarOutputStream(out)) {
            put(entries, JarFile.MANIFEST_NAME);
            manifest.write(entries);
            for (String name : List.of(
                    "org/springframework/boot/loader/launch/WarLauncher.class",
                    "WEB-INF/layers.idx",
                    "WEB-INF/classes/demo/App.class",
                    "WEB-INF/lib/first.jar",
                    "WEB-INF/lib-provided/server.jar",
                    "WEB-INF/web.xml",
                    "index.html",
                    "css/a.css")) {
                put(entries, name);
                entries.write(name.getBytes(StandardCharsets.UTF_8));
            }
        }
        SpringBootJar executable = SpringBootJar.of(war).orElseThrow();
        assertTrue(executable.isWar());
        Path directory = scratch.resolve("out");
        List<Path> classPath = executable.unpack(directory);
        assertEquals(
                List.of(
                        directory.resolve("app.jar"),
                        directory.resolve("lib/first.jar"),
                        directory.resolve("lib/server.jar")),
                classPath);
        assertEquals(Map.of("demo/App.class", "WEB-INF/classes/demo/App.class"), contents(classPath.get(0)));
        Path content = directory.resolve("content");
        assertEquals(
                List.of(
                        content.resolve("WEB-INF/web.xml"),
                        content.resolve("index.html"),
                        content.resolve("css/a.css")),
                executable.unpackContent(content));
        assertEquals("css/a.css", Files.readString(content.resolve("css/a.css")));
        assertFalse(SpringBootJar.of(executable(INDEX)).orElseThrow().isWar());
    }

    @Test
    void anOrdinaryJarIsNone() throws Exception {
        assertTrue(SpringBootJar.of(Jars.jar(scratch, "plain", "A", "A", "class A { }"))
                .isEmpty());
    }

    private Path executable(String index) throws IOException {
        Map<String, String> entries = new LinkedHashMap<>();
        entries.put("META-INF/maven/pom.properties", "version=1");
        entries.put("META-INF/services/java.nio.file.spi.FileSystemProvider", "the loader's");
        entries.put("org/springframework/boot/loader/launch/JarLauncher.class", "the loader");
        entries.put("BOOT-INF/classes/demo/App.class", "class App");
        entries.put("BOOT-INF/classes/application.properties", "a=b");
        entries.put("BOOT-INF/classes/META-INF/services/demo.Service", "demo.App");
        entries.put("BOOT-INF/lib/first.jar", "the first library");
        entries.put("BOOT-INF/lib/second.jar", "the second library");
        entries.put("BOOT-INF/lib/spring-boot-jarmode-tools-3.3.5.jar", "tools");
        Manifest manifest = new Manifest();
        Attributes attributes = manifest.getMainAttributes();
        attributes.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        attributes.put(Attributes.Name.MAIN_CLASS, "org.springframework.boot.loader.launch.JarLauncher");
        attributes.put(Attributes.Name.IMPLEMENTATION_VERSION, "7");
        attributes.putValue("Start-Class", "demo.App");
        attributes.putValue("Spring-Boot-Version", "3.3.5");
        attributes.putValue("Spring-Boot-Classes", "BOOT-INF/classes/");
        attributes.putValue("Spring-Boot-Lib", "BOOT-INF/lib/");
        if (index != null) {
            attributes.putValue("Spring-Boot-Classpath-Index", "BOOT-INF/classpath.idx");
            entries.put("BOOT-INF/classpath.idx", index);
        }
        Path jar = scratch.resolve("app.jar");
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream jarOut = new JarOutputStream(out)) {
            put(jarOut, JarFile.MANIFEST_NAME);
            manifest.write(jarOut);
            for (Map.Entry<String, String> entry : entries.entrySet()) {
                put(jarOut, entry.getKey());
                jarOut.write(entry.getValue().getBytes(StandardCharsets.UTF_8));
            }
        }
        return jar;
    }

    private static void put(JarOutputStream out, String name) throws IOException {
        JarEntry entry = new JarEntry(name);
        entry.setTime(TIME);
        out.putNextEntry(entry);
    }

    /** All but the manifest. */
    private static Map<String, String> contents(Path jar) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (JarFile file = new JarFile(jar.toFile())) {
            for (JarEntry entry : (Iterable<JarEntry>) file.stream()::iterator) {
                if (!entry.getName().equals(JarFile.MANIFEST_NAME)) {
                    try (InputStream in = file.getInputStream(entry)) {
                        contents.put(entry.getName(), new String(in.readAllBytes(), StandardCharsets.UTF_8));
                    }
                }
            }
        }
        return contents;
    }
}
