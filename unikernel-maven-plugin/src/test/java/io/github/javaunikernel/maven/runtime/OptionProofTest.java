// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.assembly.Jars;
import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With a linked runtime of the Java that runs the tests. */
class OptionProofTest {

    @TempDir
    private static Path scratch;

    private static OptionProof proof;

    @BeforeAll
    static void link() throws Exception {
        JavaHome jdk = JavaHome.at(Path.of(System.getProperty("java.home")));
        Path runtime = new RuntimeLinker(scratch, 0)
                .link(new RuntimeSpec(
                        jdk, Set.of("java.base"), false, true, false, Set.of(), Instant.parse("2026-01-01T00:00:00Z")))
                .path();
        proof = new OptionProof(jdk, runtime);
    }

    @Test
    void goodOptionsPassAlsoWithPathsOfTheGuest() throws Exception {
        assertEquals(
                List.of(),
                proof.prove(
                        List.of(
                                "-Xmx20m",
                                "-XX:+UseG1GC",
                                "-Xlog:gc*:file=/nowhere/gc.log:time",
                                "-Xlog:safepoint",
                                "-XX:ErrorFile=/nowhere/e",
                                "-XX:HeapDumpPath=/nowhere/h",
                                "-XX:+AlwaysPreTouch",
                                "--add-opens",
                                "java.base/java.lang=ALL-UNNAMED",
                                "-Djava.system.class.loader=demo.Loader",
                                "-Da=b c"),
                        Map.of(
                                "JAVA_TOOL_OPTIONS",
                                "-Dx='y z' -agentpath:/nowhere/lib.so",
                                "JDK_JAVA_OPTIONS",
                                "-Xss512k")));
    }

    @Test
    void badOptionsAreErrorsThatEndWithTheFix() {
        assertRefused(
                "Unrecognized VM option 'UseNothing'",
                "'java -XX:+PrintFlagsFinal -version' prints those of Java "
                        + Runtime.version().feature() + ".",
                List.of("-XX:+UseNothing"),
                Map.of());
        assertRefused(
                "Unrecognized",
                "-version' prints those of Java " + Runtime.version().feature() + ".",
                List.of(),
                Map.of("JAVA_TOOL_OPTIONS", "-XX:+UseNothing"));
        assertRefused(
                "collectors",
                "Keep one of the options that choose a collector.",
                List.of("-XX:+UseG1GC", "-XX:+UseSerialGC"),
                Map.of());
        assertRefused(
                "collectors",
                "Keep one of the options that choose a collector.",
                List.of("-XX:+UseG1GC"),
                Map.of("JDK_JAVA_OPTIONS", "-XX:+UseSerialGC"));
        assertRefused(
                "Module java.sql not found",
                "Add java.sql to additionalModules.",
                List.of("--add-modules=java.sql"),
                Map.of());
        assertRefused(
                "Module no.such not found",
                "Correct the name of the module, or choose a JDK that has it with jdkHome.",
                List.of("--add-modules", "no.such"),
                Map.of());
        assertRefused(
                "needs the module jdk.jfr",
                "Add the module to modules, or remove the option.",
                List.of("-XX:StartFlightRecording=filename=/x"),
                Map.of());
        assertRefused(
                "needs the module java.instrument",
                "Add the module to modules, or remove the option.",
                List.of(),
                Map.of("JAVA_TOOL_OPTIONS", "-javaagent:/app/a.jar"));
        assertRefused(
                "Invalid maximum heap size", "or a variable such as JAVA_TOOL_OPTIONS.", List.of("-Xmx12q"), Map.of());
    }

    @Test
    void warningsOfTheJvmAreHandedOn() throws Exception {
        List<String> warnings = proof.prove(List.of("--add-opens=no.such/x=ALL-UNNAMED"), Map.of());
        assertEquals(
                List.of("The JVM warns about its options: WARNING: Unknown module: no.such specified to --add-opens"),
                warnings);
    }

    @Test
    void modulesThatAreNotThereAreErrors() throws Exception {
        Path good = Jars.with(
                scratch,
                "good",
                Map.of(),
                "module-info",
                "module good { }",
                "g/Main",
                "package g; public class Main { static { System.exit(3); } public static void main(String[] a) { } }");
        proof.proveModules(List.of("--module-path", good.toString(), "--module", "good/g.Main"));
        Path bad = Jars.with(
                scratch,
                "bad",
                Map.of(),
                "module-info",
                "module bad { requires java.sql; }",
                "b/Main",
                "package b; public class Main { public static void main(String[] a) { } }");
        SettingException refused = assertThrows(
                SettingException.class,
                () -> proof.proveModules(List.of("--module-path", bad.toString(), "--module", "bad/b.Main")));
        assertEquals("modulePath", refused.parameter());
        assertTrue(refused.getMessage().contains("Module java.sql not found, required by bad"), refused.getMessage());
    }

    private static void assertRefused(
            String problem, String fix, List<String> options, Map<String, String> environment) {
        SettingException refused = assertThrows(SettingException.class, () -> proof.prove(options, environment));
        assertEquals("jvmArguments", refused.parameter());
        assertTrue(
                refused.getMessage().contains(problem) && refused.getMessage().endsWith(fix), refused.getMessage());
    }
}
