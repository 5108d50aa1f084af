// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import java.util.Map;
import java.util.Set;

/** Values that look wrong and are accepted, and messages that name another parameter than the one that was given. */
final class AcceptedValues {

    /** Names that no check can know to be wrong. */
    private static final String NAMES = "word, number, spaces, quotes, unicode, upwards";

    private static final String PATHS = "missing, directory, file, below a file";
    private static final String TEXTS = NAMES + ", " + PATHS;

    private static final String WORDS = TEXTS + ", empty, blank, control, lines, long, twice, gap";

    /** By parameter, the kinds that are accepted; the reasons stand above the groups. */
    private static final Map<String, String> ACCEPTED = Map.ofEntries(
            // A long time is one to wait; EC2, memory or the machine limit a large number of other things.
            Map.entry("attemptTimeout", "most"),
            Map.entry("timeout", "most"),
            Map.entry("startTimeout", "most"),
            Map.entry("stopTimeout", "most"),
            Map.entry("drainTimeout", "most, zero"),
            Map.entry("idleTimeout", "most, zero"),
            Map.entry("duration", "most"),
            Map.entry("maxConnections", "most"),
            Map.entry("max", "most"),
            Map.entry("replicas", "most, zero"),
            Map.entry("keep", "most, zero"),
            Map.entry("cacheLimit", "most, zero"),
            Map.entry("imageSize", "most, zero"),
            // Zero has the meaning that the help says.
            Map.entry("deprecateAfterDays", "zero"),
            Map.entry("capture", "zero"),
            Map.entry("profile", "zero"),
            Map.entry("min", "zero"),
            Map.entry("metricsPort", "zero"),
            // A free port, no port, the usual port.
            Map.entry("hostPorts", "empty, zero"),
            Map.entry("ports", "empty"),
            Map.entry("debug", "empty"),
            Map.entry("gdb", "empty"),
            // Texts for people, for the program, or for another service.
            Map.entry("description", TEXTS),
            Map.entry("jcmd", TEXTS),
            Map.entry("tags", TEXTS + ", empty, blank"),
            Map.entry("folder", TEXTS),
            Map.entry("username", TEXTS),
            Map.entry("password", TEXTS),
            Map.entry("server", TEXTS),
            // Any name that fits; there is no list of those that exist.
            Map.entry("imageName", "word"),
            Map.entry("classifier", "word, number"),
            Map.entry("name", "word, spaces, upwards, " + PATHS),
            Map.entry("instanceProfile", "word, number"),
            Map.entry("bucket", "word"),
            Map.entry("imagePullSecret", "word"),
            Map.entry("containerImage", "word"),
            Map.entry("healthPath", PATHS),
            Map.entry("trainPaths", PATHS + ", empty"),
            Map.entry("trace", "word"),
            // An empty list is none, and a thing named twice is meant once.
            Map.entry("regions", "twice, empty"),
            Map.entry("shareAccounts", "empty"),
            Map.entry("shareOrganizations", "empty"),
            Map.entry("securityGroups", "empty"),
            Map.entry("virtualization", "twice, empty"),
            // Each word is the program's affair, and an empty one, too.
            Map.entry("arguments", WORDS),
            Map.entry("checkArguments", WORDS),
            Map.entry("environment", WORDS + ", long key, reserved key"),
            Map.entry("systemProperties", WORDS + ", long key, reserved key"),
            // As for lists above, and no option is an option.
            Map.entry("environmentVariables", "empty"),
            Map.entry("systemPropertyVariables", "empty"),
            Map.entry("jvmArguments", "empty"),
            Map.entry("modules", "empty"),
            Map.entry("additionalModules", "empty"),
            Map.entry("locales", "empty"),
            Map.entry("trustedCertificates", "empty"),
            Map.entry("dataDisks", "empty"),
            Map.entry("tmpfs", "empty, " + PATHS),
            Map.entry("scratch", PATHS),
            Map.entry("xlChannel", PATHS),
            Map.entry("instanceEnvironment", "empty, twice"),
            Map.entry("instanceDiagnostics", "empty"),
            Map.entry("instanceSources", "empty"),
            Map.entry("kernelOptions", "empty, blank"),
            Map.entry("hostname", "word"),
            Map.entry("time", "word, number"),
            Map.entry("jmxHostname", "word, number"),
            // A program without libraries takes nothing from the system.
            Map.entry("sysroot", "directory"),
            Map.entry("cacheDirectory", NAMES + ", missing, directory"),
            // An empty file is no user data.
            Map.entry("userData", "file"),
            // Files and directories that are made, or that this use of the goal does not look at.
            Map.entry("stateDirectory", NAMES + ", missing, directory"),
            Map.entry("dataDirectory", TEXTS),
            // As cp(1) replaces a file.
            Map.entry("other", NAMES.replace(", quotes", "") + ", file"),
            Map.entry("image", NAMES + ", missing, directory, file"),
            Map.entry("classList", NAMES + ", missing, file"),
            Map.entry("coreFile", TEXTS),
            Map.entry("monitor", TEXTS),
            Map.entry("dumpJdkHome", TEXTS),
            Map.entry("dumpSysroot", TEXTS),
            Map.entry("guestDirectory", TEXTS),
            Map.entry("filesDirectory", TEXTS));

    /** What a name leads to is missing, and a message says so of the name. */
    private static final Map<String, Set<String>> BLAMED = Map.of(
            "classifier",
            Set.of("imageName", "channel"),
            "imageName",
            Set.of("channel"),
            "applicationDirectory",
            Set.of("mainJar"));

    private AcceptedValues() {}

    static boolean contains(String parameterAndKind) {
        int space = parameterAndKind.indexOf(' ');
        String kinds = ACCEPTED.get(parameterAndKind.substring(0, space));
        return kinds != null && (", " + kinds + ",").contains(", " + parameterAndKind.substring(space + 1) + ",");
    }

    static boolean mayBlame(String given, String blamed) {
        return blamed.equals(given) || BLAMED.getOrDefault(given, Set.of()).contains(blamed);
    }
}
