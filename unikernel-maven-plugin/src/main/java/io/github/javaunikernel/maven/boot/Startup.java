// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.Map;
import java.util.TreeMap;

/** How the JVM divides the CPU between starting and compiling. */
public enum Startup {

    /**
     * The optimising compiler begins later: its thresholds of calls and loops (HotSpot's {@code Tier4...Threshold}) are
     * some times those of the JVM, so that what runs only at the start is not optimised.
     */
    FAST(Map.of(
            "Tier4InvocationThreshold",
            20000,
            "Tier4MinInvocationThreshold",
            5000,
            "Tier4CompileThreshold",
            60000,
            "Tier4BackEdgeThreshold",
            120000)),
    /** As the JVM does it by itself. */
    BALANCED(Map.of());

    private final Map<String, Integer> thresholds;

    Startup(Map<String, Integer> thresholds) {
        this.thresholds = new TreeMap<>(thresholds);
    }

    /** Reads the parameter. */
    public static Startup parse(String text) throws SettingException {
        return switch (text) {
            case "fast" -> FAST;
            case "balanced" -> BALANCED;
            default ->
                throw new SettingException(
                        "startup", "'" + text + "' is not a way to start.", "Set it to fast or balanced.");
        };
    }

    /** Options of the JVM that hold a number, by their names, in a fixed order. */
    Map<String, Integer> thresholds() {
        return thresholds;
    }
}
