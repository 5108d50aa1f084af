package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.assembly.Jars;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModuleAnalysisTest {

    @TempDir
    private Path scratch;

    @Test
    void findsModulesThroughCodeDescriptorsAndGenerics() throws Exception {
        assertModules("[java.base]", "class A { int x; }");
        assertModules("[java.base, java.logging]", "class A { Object o = java.util.logging.Level.INFO; }");
        assertModules("[java.base, java.sql]", "class A { java.sql.Connection[] connections; }");
        assertModules("[java.base, java.xml]", "class A { java.util.List<org.w3c.dom.Node> nodes; }");
        assertModules("[java.base, jdk.httpserver]",
                "class A { com.sun.net.httpserver.HttpServer of(int port) { return null; } }");
    }

    @Test
    void addsTheProvidersBehindAnApi() throws Exception {
        Set<String> modules = modules(jar("class A { Object o = javax.net.ssl.SSLSocketFactory.getDefault(); }"));
        assertEquals(jdk().modules().contains("jdk.crypto.ec"), modules.contains("jdk.crypto.ec"));
        assertTrue(modules(jar("class A { Object o = java.nio.file.FileSystems.getDefault(); }"))
                .contains("jdk.zipfs"));
    }

    @Test
    void unknownModulesAreRefused() throws Exception {
        SettingException refused = assertThrows(SettingException.class,
                () -> new ModuleAnalysis(jdk()).check("modules", Set.of("java.base", "java.nothing")));
        assertEquals("modules", refused.parameter());
        assertTrue(refused.getMessage().contains("has no module java.nothing."), refused.getMessage());
    }

    @Test
    void damagedClassesAreNamed() throws Exception {
        Path jar = scratch.resolve("damaged.jar");
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(jar))) {
            zip.putNextEntry(new ZipEntry("org/example/Broken.class"));
            zip.write(new byte[] {(byte) 0xCA, (byte) 0xFE, (byte) 0xBA, (byte) 0xBE, 0, 0, 0, 61, 0, 2, 99});
        }
        IOException refused = assertThrows(IOException.class, () -> modules(jar));
        assertTrue(refused.getMessage().contains("org/example/Broken.class: it has a constant of the unknown kind 99"),
                refused.getMessage());
    }

    private void assertModules(String expected, String source) throws Exception {
        assertEquals(expected, modules(jar(source)).toString());
    }

    private Path jar(String source) throws IOException {
        return Jars.jar(Files.createTempDirectory(scratch, "jar"), "a", null, "A", source);
    }

    private static Set<String> modules(Path jar) throws Exception {
        return new ModuleAnalysis(jdk()).modulesUsedBy(List.of(jar));
    }

    private static JavaHome jdk() throws Exception {
        return JavaHome.at(Path.of(System.getProperty("java.home")));
    }
}
