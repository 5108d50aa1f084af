// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A JDK for Linux on x86-64, as its {@code release} file describes it.
 *
 * @param path its home directory
 * @param release the entries of its release file, without quotes
 */
public record JavaHome(Path path, Map<String, String> release) {

    private static final String PARAMETER = "jdkHome";
    private static final String FIX = "Set it to the home of a JDK 17 or later for Linux on x86-64 with glibc.";
    private static final int OLDEST = 17;
    private static final int REPRODUCIBLE_CLASS_DATA = 18;

    /** Reads and checks the JDK at a path. */
    public static JavaHome at(Path path) throws SettingException, IOException {
        Path file = path.resolve("release");
        if (!Files.isRegularFile(file)) {
            throw new SettingException(PARAMETER, path + " is not a JDK: it has no file 'release'.", FIX);
        }
        JavaHome home = new JavaHome(path, parse(file));
        home.check();
        return home;
    }

    private static Map<String, String> parse(Path file) throws IOException {
        Map<String, String> entries = new TreeMap<>();
        for (String line : FileTrouble.on(file, () -> Files.readAllLines(file))) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                entries.put(
                        line.substring(0, equals),
                        line.substring(equals + 1).replace("\"", "").strip());
            }
        }
        return entries;
    }

    private void check() throws SettingException {
        String system = value("OS_NAME") + " " + value("OS_ARCH");
        if (!system.equals("Linux x86_64") && !system.equals("Linux amd64")) {
            throw new SettingException(PARAMETER, path + " is a JDK for " + system + ".", FIX);
        }
        if (!release.getOrDefault("LIBC", "gnu").matches("gnu|default")) {
            throw new SettingException(PARAMETER, path + " is a JDK for the C library " + value("LIBC") + ".", FIX);
        }
        if (feature() < OLDEST) {
            throw new SettingException(PARAMETER, path + " is Java " + version() + ".", FIX);
        }
        boolean linkable = Files.isDirectory(jmods()) || Files.isRegularFile(path.resolve("bin/jlink"));
        if (!linkable) {
            throw new SettingException(PARAMETER, path + " has neither jmods nor jlink: it is a JRE.", FIX);
        }
    }

    /** The version, such as {@code 17.0.15}. */
    public String version() {
        return value("JAVA_VERSION");
    }

    /** The version down to the build, such as {@code 17.0.15+6}. */
    public String runtimeVersion() {
        return release.getOrDefault("JAVA_RUNTIME_VERSION", version());
    }

    /** Who built it. */
    public String vendor() {
        return release.getOrDefault("IMPLEMENTOR", "unknown");
    }

    /** The first number of the version. */
    public int feature() {
        String first = version().split("[.+-]")[0];
        return first.matches("\\d{1,4}") ? Integer.parseInt(first) : 0;
    }

    /** Whether class-data archives of one runtime are always the same; from Java 18 on. */
    public boolean hasReproducibleClassData() {
        return feature() >= REPRODUCIBLE_CLASS_DATA;
    }

    /** Names of its modules. */
    public Set<String> modules() {
        return new TreeSet<>(Set.of(value("MODULES").split(" ")));
    }

    /** Whether this machine can run its programs. */
    public boolean isRunnable() {
        return SystemRoot.isOnThisMachine();
    }

    Path jmods() {
        return path.resolve("jmods");
    }

    /** A program for work on this JDK: its own where it runs, else that of the Java that runs the build. */
    String tool(String name) throws SettingException {
        Path own = path.resolve("bin").resolve(name);
        if (isRunnable() && Files.isExecutable(own)) {
            return own.toString();
        }
        int running = Runtime.version().feature();
        if (running != feature()) {
            throw new SettingException(
                    PARAMETER,
                    "This machine cannot run the programs of " + path + ", and " + name + " of Java " + running
                            + " cannot work on Java " + feature() + ".",
                    "Run Maven with Java " + feature() + ".");
        }
        return Path.of(System.getProperty("java.home"), "bin", name).toString();
    }

    private String value(String key) {
        return release.getOrDefault(key, "unknown");
    }
}
