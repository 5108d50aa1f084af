// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What one start of an image may be given from outside. If there is neither a variable nor a switch, no external source
 * is consulted.
 *
 * @param allowed names of variables of the environment, and prefixes with {@code *} after them
 * @param diagnostics some of {@link #SWITCHES}, which the variables {@code UNIKERNEL_...} set
 * @param sources some of {@link #SOURCES}; empty: all
 */
public record InstanceEnvironment(Set<String> allowed, Set<String> diagnostics, Set<String> sources) {

    /** As the kernel calls them, from the weakest to the strongest. */
    private static final List<String> SOURCES = List.of("user-data", "host", "command-line");

    /** As the kernel calls them (guest-kernel, linux/diagnostics.h). */
    private static final List<String> SWITCHES = List.of("trace", "capture", "profile", "lockstat");

    private static final Pattern FORM = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*\\*?");
    /**
     * Variables that steer the loader, the C library or the JVM. The kernel lets none of them through because of a
     * prefix (guest-kernel, linux/environment.c: the same list); these are the groups that a prefix can lie within.
     */
    private static final List<String> GUARDED = List.of("LD_", "MALLOC_", "_JAVA_", "JDK_JAVA_");

    /** Nothing from outside. */
    public static final InstanceEnvironment NONE = new InstanceEnvironment(Set.of(), Set.of(), Set.of());

    /** Reads and checks all three. */
    public static InstanceEnvironment parse(List<String> allowed, List<String> diagnostics, List<String> sources)
            throws SettingException {
        for (String pattern : allowed) {
            checkPattern(pattern);
        }
        for (String diagnostic : diagnostics) {
            if (!SWITCHES.contains(diagnostic)) {
                throw new SettingException(
                        "instanceDiagnostics",
                        "'" + diagnostic + "' cannot be switched on from outside.",
                        "Use any of " + String.join(", ", SWITCHES) + ".");
            }
        }
        for (String source : sources) {
            if (!SOURCES.contains(source)) {
                throw new SettingException(
                        "instanceSources",
                        "'" + source + "' is not a source of variables.",
                        "Use any of " + String.join(", ", SOURCES) + ".");
            }
        }
        if (allowed.isEmpty() && diagnostics.isEmpty() && !sources.isEmpty()) {
            throw new SettingException(
                    "instanceSources",
                    "There are sources of variables, but no variable is allowed.",
                    "Name the variables in 'instanceEnvironment', or remove the sources.");
        }
        return new InstanceEnvironment(
                new LinkedHashSet<>(allowed), new LinkedHashSet<>(diagnostics), new LinkedHashSet<>(sources));
    }

    private static void checkPattern(String pattern) throws SettingException {
        if (!FORM.matcher(String.valueOf(pattern)).matches()) {
            throw new SettingException(
                    "instanceEnvironment",
                    "'" + pattern + "' names no variables.",
                    "Use a name of letters, digits and '_' such as DB_URL, or a prefix such as DB_*.");
        }
        for (String guarded : GUARDED) {
            if (pattern.endsWith("*") && pattern.startsWith(guarded)) {
                throw new SettingException(
                        "instanceEnvironment",
                        "'" + pattern + "' covers variables that decide which"
                                + " code runs, and a prefix never allows such.",
                        "Name each one in full, or remove it.");
            }
        }
    }
}
