// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Makes the class-data archive of a linked runtime, by running it. Nothing in it depends on the memory and the CPUs of
 * the build machine. From Java 18 on the archive is the same for the same runtime; before, the JVM orders some of its
 * content by the timing of its own threads, so two archives of one runtime differ in a few places.
 */
final class ClassData {

    private ClassData() {
    }

    static void dump(JavaHome jdk, Path runtime) throws IOException, SettingException {
        if (!jdk.isRunnable()) {
            throw new SettingException("cds", "The class-data archive is made by running the linked runtime, and this"
                    + " machine cannot run programs for Linux on x86-64.", "Set it to false.");
        }
        // From Java 18 on every collector maps the archive's heap objects, not only G1; those that the guest's collector
        // ignores are better left out, as dumping with the serial one does.
        String collector = jdk.hasReproducibleClassData() ? "-XX:+UseG1GC" : "-XX:+UseSerialGC";
        try {
            Tool.run(List.of(runtime.resolve("bin/java").toString(), "-Xshare:dump", collector, "-Xint", "-Xmx128m",
                    "-XX:ActiveProcessorCount=1"));
        } catch (ToolException e) {
            throw new SettingException("cds", "The class-data archive cannot be made: " + e.getMessage(),
                    "Set it to false, or choose another JDK with jdkHome.", e);
        }
    }
}
