// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.assembly.Jars;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
        assertModules(
                "[java.base, jdk.httpserver]",
                "class A { com.sun.net.httpserver.HttpServer of(int port) { return null; } }");
    }

    @Test
    void addsTheProvidersBehindAnApi() throws Exception {
        Set<String> modules = modules(jar("class A { Object o = javax.net.ssl.SSLSocketFactory.getDefault(); }"));
        assertEquals(jdk().modules().contains("jdk.crypto.ec"), modules.contains("jdk.crypto.ec"));
        assertTrue(modules(jar("class A { Object o = java.nio.file.FileSystems.getDefault(); }"))
                .contains("jdk.zipfs"));
        assertAdded(
                "jdk.net",
                "java.nio.channels.SocketChannel.supportedOptions in a.jar",
                "class A { Object of(java.nio.channels.SocketChannel c) { return c.supportedOptions(); } }");
    }

    @Test
    void addsWhatIsNamedInTexts() throws Exception {
        assertAdded("java.sql", "'java.sql.Driver' in a.jar", "class A { String s = \"java.sql.Driver\"; }");
        assertAdded(
                "jdk.net",
                "'jdk.net.ExtendedSocketOptions' in a.jar",
                "class A { Class<?> c() throws Exception { return "
                        + "Class.forName(\"jdk.net.ExtendedSocketOptions\"); } }");
        assertAdded("jdk.naming.dns", "'dns://10.0.0.1/x' in a.jar", "class A { String s = \"dns://10.0.0.1/x\"; }");
        assertAdded("jdk.crypto.cryptoki", "'SunPKCS11' in a.jar", "class A { String s = \"SunPKCS11\"; }");
        assertAdded(
                "jdk.security.auth",
                "'com.sun.security.auth.module.UnixLoginModule' in a.jar",
                "class A { String s = \"x { com.sun.security.auth.module.UnixLoginModule required; };\"; }");
        assertAdded("jdk.charsets", "'x-windows-949' in a.jar", "class A { String s = \"x-windows-949\"; }");
        assertAdded(
                "jdk.unsupported",
                "'sun.misc.Unsafe' in a.jar",
                "class A { @Deprecated(since = \"sun.misc.Unsafe\") int x; }");
        assertModules("[java.base]", "class A { String s = \"see dns: and java.nothing.Driver, 273\"; }");
    }

    @Test
    void addsWhatWorksAfterAnApi() throws Exception {
        assertAdded(
                "jdk.naming.dns", "javax.naming.InitialContext in a.jar", "class A { javax.naming.InitialContext c; }");
        assertAdded(
                "jdk.management",
                "java.lang.management.ManagementFactory in a.jar",
                "class A { Object o = java.lang.management.ManagementFactory.getRuntimeMXBean(); }");
        assertAdded(
                "java.logging",
                "java.lang.System.getLogger in a.jar",
                "class A { Object o = System.getLogger(\"a\"); }");
        assertAdded(
                "jdk.charsets",
                "java.nio.charset.Charset.forName in a.jar",
                "class A { Object o(String s) { return java.nio.charset.Charset.forName(s); } }");
        assertAdded(
                "jdk.jlink",
                "java.util.spi.ToolProvider, which a.jar loads as a service",
                "class A { Object o = java.util.ServiceLoader.load(java.util.spi.ToolProvider.class); }");
    }

    @Test
    void addsTheDataOfOtherLanguagesWhereTheyAreChosenAndUsed() throws Exception {
        assertAdded(
                "jdk.localedata",
                "java.util.Locale.GERMANY in a.jar",
                "class A { Object o = java.text.NumberFormat.getInstance(java.util.Locale.GERMANY); }");
        assertAdded(
                "jdk.localedata",
                "java.util.Locale.forLanguageTag in a.jar",
                "class A { String o(String s) { return String.format(java.util.Locale.forLanguageTag(s), "
                        + "\"%,d\", 1); } }");
        assertModules("[java.base]", "class A { Object o = java.text.NumberFormat.getInstance(java.util.Locale.US); }");
        assertModules("[java.base]", "class A { Object o = java.util.Locale.GERMANY; }");
        Path jar = jar("class A { Object o = java.text.NumberFormat.getInstance(); }");
        assertEquals("[java.base]", modules(jar).toString());
        assertEquals(
                "the variable LANG=de_DE.UTF-8",
                reasons(jar, List.of(), Map.of("LANG", "de_DE.UTF-8")).added().get("jdk.localedata"));
        assertEquals(
                "{}",
                reasons(jar, List.of(), Map.of("LANG", "C.UTF-8", "LC_ALL", "en_US.UTF-8"))
                        .added()
                        .toString());
        Path bundle = with(jar, "texts/messages_fr.properties", "a=b");
        assertEquals(
                "texts/messages_fr.properties in a.jar",
                reasons(bundle, List.of(), Map.of()).added().get("jdk.localedata"));
    }

    @Test
    void addsWhatOptionsNeed() throws Exception {
        assertOption("java.instrument", "-javaagent:/app/agent.jar", "the option -javaagent");
        assertOption(
                "jdk.management.agent",
                "-Dcom.sun.management.jmxremote.port=9010",
                "the option -Dcom.sun.management.jmxremote.port");
        assertOption(
                "jdk.management.jfr",
                "-Dcom.sun.management.jmxremote.port=9010",
                "the option -Dcom.sun.management.jmxremote.port");
        assertOption("jdk.jfr", "-XX:StartFlightRecording", "the option -XX");
        assertOption("jdk.jdwp.agent", "-agentlib:jdwp=transport=dt_socket", "the option -agentlib");
        assertOption("jdk.localedata", "-Duser.language=de", "the option -Duser.language");
        assertOption("jdk.localedata", "-Djava.locale.providers=CLDR", "the option -Djava.locale.providers");
        assertOption("jdk.security.jgss", "-Djava.security.krb5.conf=/x", "the option -Djava.security.krb5.conf");
        assertOption("jdk.naming.dns", "-Dprovider=com.sun.jndi.dns.DnsContextFactory", "the option -Dprovider");
        assertOption(
                "jdk.compiler",
                "--add-opens=jdk.compiler/com.sun.tools.javac.api=ALL-UNNAMED",
                "the option --add-opens jdk.compiler/com.sun.tools.javac.api=ALL-UNNAMED");
        Path jar = jar("class A { }");
        assertEquals(
                "{java.sql=the option --add-modules java.sql,no.such}",
                reasons(jar, List.of("--add-modules", "java.sql,no.such", "-Duser.language=en"), Map.of())
                        .added()
                        .toString());
    }

    @Test
    void addsWhatServicesManifestsDescriptionsAndSettingsName() throws Exception {
        Path jar = jar("class A { }");
        assertEquals(
                "META-INF/services/java.sql.Driver in a.jar",
                reasons(with(jar, "META-INF/services/java.sql.Driver", "demo.Driver"), List.of(), Map.of())
                        .added()
                        .get("java.sql"));
        assertEquals(
                "{}",
                reasons(
                                with(jar, "META-INF/services/javax.annotation.processing.Processor", "demo.P"),
                                List.of(),
                                Map.of())
                        .added()
                        .toString());
        assertEquals(
                "'com.sun.jndi.ldap.LdapCtxFactory' in application.yml of a.jar",
                reasons(
                                with(jar, "application.yml", "spring:\n  factory: com.sun.jndi.ldap.LdapCtxFactory\n"),
                                List.of(),
                                Map.of())
                        .added()
                        .get("java.naming"));
        assertEquals(
                "Launcher-Agent-Class in the manifest of a.jar",
                reasons(
                                with(jar, "META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nLauncher-Agent-Class: A\n"),
                                List.of(),
                                Map.of())
                        .added()
                        .get("java.instrument"));
        assertEquals(
                "Add-Opens in the manifest of a.jar",
                reasons(
                                with(
                                        jar,
                                        "META-INF/MANIFEST.MF",
                                        "Manifest-Version: 1.0\nAdd-Opens: java.base/java.lang "
                                                + "java.rmi/sun.rmi.server\n"),
                                List.of(),
                                Map.of())
                        .added()
                        .get("java.rmi"));
        Path module = Jars.jar(
                Files.createTempDirectory(scratch, "module"),
                "m",
                null,
                "module-info",
                "module m { requires java.sql; requires static java.desktop; uses "
                        + "java.nio.file.spi.FileSystemProvider; }");
        assertEquals("[java.base, java.sql, jdk.zipfs]", modules(module).toString());
    }

    @Test
    void findsClassesUnderOtherNamesAndInJarsInJars() throws Exception {
        Path sql = jar("class A { java.sql.Connection connection; }");
        byte[] hidden;
        try (var zip = java.nio.file.FileSystems.newFileSystem(sql)) {
            hidden = Files.readAllBytes(zip.getPath("A.class"));
        }
        Path plain = jar("class A { }");
        assertEquals(
                "[java.base, java.sql]",
                modules(with(plain, "inst/A.classdata", hidden)).toString());
        assertEquals(
                "[java.base, java.sql]",
                modules(with(plain, "lib/agent.jar", Files.readAllBytes(sql))).toString());
        assertEquals(
                "[java.base]",
                modules(with(plain, "lib/agent.jar", "to be downloaded")).toString());
        byte[] preview = hidden.clone();
        preview[4] = preview[5] = (byte) 0xFF;
        assertEquals(
                "[java.base, java.sql]",
                modules(with(plain, "inst/A.classdata", preview)).toString());
        byte[] universal = hidden.clone();
        universal[7] = 2;
        assertEquals(
                "[java.base]",
                modules(with(plain, "lib/library.dylib", universal)).toString());
        assertEquals(
                "[java.base]",
                modules(with(plain, "inst/short.classdata", new byte[] {(byte) 0xCA}))
                        .toString());
        assertEquals(
                "[java.base]",
                modules(with(plain, "inst/META-INF/maven/g/a/pom.xml", "java.sql.Driver"))
                        .toString());
    }

    @Test
    void theReasonOfAModuleIsTheFirstClassThatIsMentioned() throws Exception {
        Map<String, String> all = reasons(
                        jar("class A { Object a = java.util.logging.Level.ALL; }"), List.of(), Map.of())
                .all();
        assertEquals("every program uses it", all.get("java.base"));
        assertTrue(all.get("java.logging").startsWith("java.util.logging.Level in "), all.toString());
    }

    private void assertAdded(String module, String reason, String source) throws Exception {
        Map<String, String> added = reasons(jar(source), List.of(), Map.of()).added();
        if (jdk().modules().contains(module)) {
            assertEquals(reason, added.get(module), added.toString());
        }
    }

    private void assertOption(String module, String option, String reason) throws Exception {
        Map<String, String> added =
                reasons(jar("class A { }"), List.of(option), Map.of()).added();
        assertEquals(reason, added.get(module), added.toString());
    }

    /** A copy of a jar with one entry more, or in place of its own. */
    private Path with(Path jar, String entry, String content) throws IOException {
        return with(jar, entry, content.getBytes(StandardCharsets.UTF_8));
    }

    private Path with(Path jar, String entry, byte[] content) throws IOException {
        Path copy = Files.createTempDirectory(scratch, "with").resolve(jar.getFileName());
        Files.copy(jar, copy);
        try (var zip = java.nio.file.FileSystems.newFileSystem(copy)) {
            Path path = zip.getPath(entry);
            if (path.getParent() != null) {
                Files.createDirectories(path.getParent());
            }
            Files.write(path, content);
        }
        return copy;
    }

    @Test
    void unknownModulesAreRefused() throws Exception {
        SettingException refused = assertThrows(
                SettingException.class,
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
        assertTrue(
                refused.getMessage().contains("org/example/Broken.class: it is not a whole class file"),
                refused.getMessage());
    }

    private void assertModules(String expected, String source) throws Exception {
        assertEquals(expected, modules(jar(source)).toString());
    }

    private Path jar(String source) throws IOException {
        return Jars.jar(Files.createTempDirectory(scratch, "jar"), "a", null, "A", source);
    }

    private static Set<String> modules(Path jar) throws Exception {
        return reasons(jar, List.of(), Map.of()).modules();
    }

    private static ModuleReasons reasons(Path jar, List<String> options, Map<String, String> environment)
            throws Exception {
        return new ModuleAnalysis(jdk()).modulesUsedBy(List.of(jar), options, environment);
    }

    private static JavaHome jdk() throws Exception {
        return JavaHome.at(Path.of(System.getProperty("java.home")));
    }
}
