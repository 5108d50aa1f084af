package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * Makes the class-data archive of a linked runtime, by running it. The archive is the same for the same runtime:
 * nothing in it may depend on the memory, the CPUs or the timing of the build machine.
 */
final class ClassData {

    /** From this version on every collector maps the archived heap objects; before, only G1 did. */
    private static final int HEAP_OBJECTS_FOR_ALL = 18;

    private ClassData() {
    }

    static void dump(JavaHome jdk, Path runtime) throws IOException, SettingException {
        if (!jdk.isRunnable()) {
            throw new SettingException("cds", "The class-data archive is made by running the linked runtime, and this"
                    + " machine cannot run programs for Linux on x86-64.", "Set it to false.");
        }
        // Up to 17 the heap objects hold addresses that differ from run to run, and the serial collector ignores
        // them; dumping with it leaves them out.
        String collector = jdk.feature() < HEAP_OBJECTS_FOR_ALL ? "-XX:+UseSerialGC" : "-XX:+UseG1GC";
        Tool.run(List.of(runtime.resolve("bin/java").toString(), "-Xshare:dump", collector, "-Xint", "-Xmx128m",
                "-XX:ActiveProcessorCount=1"));
    }
}
