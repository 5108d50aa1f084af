// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Values of the goal image that are good by themselves, and hostile in what they would do to a guest or together. */
class ImageValuesTest {

    @TempDir
    Path scratch;

    @Test
    void hostileValuesAreRefusedBeforeAnythingIsChanged() throws Exception {
        Map<String, String> executable = Map.of("unikernel.executable", "PLACE/program");
        try (GoalTrial trial = new GoalTrial(scratch.resolve("project"), "image", executable)) {
            assertRefused(trial, "tmpfs", "/app/../jvm", "/../");
            assertRefused(trial, "tmpfs", "/cache,/cache/ 16m", "are for the directory /cache,");
            assertRefused(trial, "dataDisks", "orders /a,prices /a", "the directory /a");
            assertRefused(trial, "arguments", "a\0b", "the character NUL");
            assertRefused(trial, "checkArguments", "a\0b", "the character NUL");
            assertRefused(trial, "environment", "A=b\0c", "the character NUL");
            assertRefused(trial, "environment", "A\u0007B=c", "cannot be the name of a variable");
            assertRefused(trial, "arguments", "x".repeat(300_000), "the kernel reads 262142");
            assertRefused(trial, "kernelOptions", "profile=10001", "more than the kernel takes");
            assertRefused(trial, "network", "static 10.0.0.2/24 dns 1.1.1.1,1.1.1.2,1.1.1.3,1.1.1.4", "name servers");
        }
    }

    /** Classes that have not been packaged are packed only when everything else is known to be right. */
    @Test
    void nothingOfAJavaProgramIsPackedForARefusedValue() throws Exception {
        try (GoalTrial trial = new GoalTrial(scratch.resolve("project"), "image", Map.of())) {
            trial.leaveUnpackaged();
            assertRefused(trial, "memory", "5", "too little for a JVM");
            assertRefused(trial, "firmware", "BIOS", "'BIOS'");
            assertRefused(trial, "kernel", "/none", "There is no file");
            assertRefused(trial, "outputTimestamp", "never", "cannot be read");
            assertRefused(trial, "cds", "JDK", "is not a kind of class data");
            assertRefused(trial, "jvmArguments", "-Xmx64m\0", "the character NUL");
            assertRefused(trial, "jvmArguments", "-Xmx64m,now,then", "'then' is not an option of the JVM");
            assertRefused(trial, "mainJar", "a.jar", "which is not given");
            assertRefused(trial, "jdkChecksum", "00", "jdkHome names none");
        }
    }

    private static void assertRefused(GoalTrial trial, String parameter, String value, String words) throws Exception {
        GoalTrial.Outcome outcome = trial.run(Map.of("unikernel." + parameter, value), "");
        assertTrue(outcome.message().contains(words), outcome.message());
        assertTrue(outcome.message().contains(", -Dunikernel." + parameter + "] "), outcome.message());
        assertEquals("", outcome.changes(), outcome.message());
    }
}
