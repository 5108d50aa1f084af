// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Modules of a JDK that an application needs, each with the first reason that was found. */
public final class ModuleReasons {

    private final Set<String> known;
    /** Those of which code mentions a class: the first one that was found. */
    private final Map<String, String> mentioned = new TreeMap<>();

    private final Map<String, String> others = new TreeMap<>();
    private boolean drawing;

    /**
     * Starts with none.
     *
     * @param known names of the modules of the JDK; others are ignored
     */
    ModuleReasons(Set<String> known) {
        this.known = known;
    }

    /** Notes that code mentions a class of the module, such as {@code java.sql.Driver in a.jar}. */
    void mention(String module, String reason) {
        if (known.contains(module)) {
            mentioned.putIfAbsent(module, reason);
        }
    }

    /** Notes another reason, such as {@code the option -javaagent:a.jar}. */
    void add(String module, String reason) {
        if (known.contains(module)) {
            others.putIfAbsent(module, reason);
        }
    }

    /** Notes that code draws text. */
    void noteDrawing() {
        drawing = true;
    }

    /** Whether code draws text, for which a system needs fonts. */
    public boolean isDrawing() {
        return drawing;
    }

    /** All of them. */
    public Set<String> modules() {
        return new TreeSet<>(all().keySet());
    }

    /** All of them, each with its reason. */
    public Map<String, String> all() {
        Map<String, String> all = new TreeMap<>(others);
        all.putAll(mentioned);
        return all;
    }

    /** Those that no code mentions, each with its reason. */
    public Map<String, String> added() {
        Map<String, String> added = new TreeMap<>(others);
        added.keySet().removeAll(mentioned.keySet());
        return added;
    }
}
