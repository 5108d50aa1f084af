// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;

/**
 * Links runtimes with jlink into a directory of runtimes, each named after all that went into it, so that an unchanged
 * one is not linked again. Several builds may share the directory.
 */
public final class RuntimeLinker {

    /** Raised when the way of linking changes, so that runtimes of older versions are not taken for new ones. */
    private static final String FORMAT = "1";
    /** jlink names its compression by level from this version on. */
    private static final int NAMED_COMPRESSION = 21;

    private final Path directory;

    /** Keeps runtimes in the given directory. */
    public RuntimeLinker(Path directory) {
        this.directory = directory;
    }

    /**
     * A runtime.
     *
     * @param path its home directory
     * @param fresh whether it was linked now rather than found
     */
    public record Linked(Path path, boolean fresh) {
    }

    /** Returns the runtime for the specification, linking it when it is not there. */
    public Linked link(RuntimeSpec spec) throws IOException, SettingException {
        Path runtime = directory.resolve("runtime-" + key(spec));
        if (Files.isDirectory(runtime)) {
            return new Linked(runtime, false);
        }
        Files.createDirectories(directory);
        Path workplace = Files.createTempDirectory(directory, "unfinished-");
        try {
            Path unfinished = workplace.resolve("runtime");
            jlink(spec, unfinished);
            setTimes(unfinished, spec);
            if (spec.classData()) {
                ClassData.dump(spec.jdk(), unfinished);
                setTimes(unfinished, spec);
            }
            publish(unfinished, runtime);
        } finally {
            DirectoryTree.delete(workplace);
        }
        return new Linked(runtime, true);
    }

    /** Names of the modules of a linked runtime, in its own order. */
    public static List<String> modules(Path runtime) throws IOException {
        Path release = runtime.resolve("release");
        for (String line : FileTrouble.on(release, () -> Files.readAllLines(release))) {
            if (line.startsWith("MODULES=")) {
                return List.of(line.substring("MODULES=".length()).replace("\"", "").split(" "));
            }
        }
        throw new ExplainedException(runtime.resolve("release") + " names no modules. Delete " + runtime
                + " and build again.");
    }

    /** Of two builds that link the same runtime at a time, the first to finish wins, and both use its. */
    private static void publish(Path unfinished, Path runtime) throws IOException {
        try {
            Files.move(unfinished, runtime, StandardCopyOption.ATOMIC_MOVE);
        } catch (FileSystemException e) {
            if (!Files.isDirectory(runtime)) {
                throw e;
            }
        }
    }

    private static void jlink(RuntimeSpec spec, Path output) throws IOException, SettingException {
        JavaHome jdk = spec.jdk();
        List<String> command = new ArrayList<>(List.of(jdk.tool("jlink"),
                "--add-modules", String.join(",", new TreeSet<>(spec.modules())),
                "--no-header-files", "--no-man-pages", "--output", output.toString()));
        if (Files.isDirectory(jdk.jmods())) {
            command.addAll(List.of("--module-path", jdk.jmods().toString()));
        }
        if (spec.stripDebug()) {
            command.add("--strip-java-debug-attributes");
        }
        if (!spec.locales().isEmpty()) {
            command.add("--include-locales=" + String.join(",", new TreeSet<>(spec.locales())));
        }
        if (spec.compress()) {
            command.add(jdk.feature() < NAMED_COMPRESSION ? "--compress=2" : "--compress=zip-6");
        }
        try {
            Tool.run(command);
        } catch (ToolException e) {
            if (!spec.locales().isEmpty() && e.output().contains("locale")) {
                throw new SettingException("locales", e.getMessage(), "Name locales that the JDK has data of.", e);
            }
            throw new SettingException("modules", e.getMessage(),
                    "Correct the modules or choose another JDK with jdkHome.", e);
        }
    }

    /** The class-data archive remembers the time of the module file, so it is set before that is made. */
    private static void setTimes(Path tree, RuntimeSpec spec) throws IOException {
        FileTime time = FileTime.from(spec.time());
        try (var files = Files.walk(tree)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (!Files.isSymbolicLink(file)) {
                    Files.setLastModifiedTime(file, time);
                }
            }
        }
    }

    private static String key(RuntimeSpec spec) throws IOException {
        String inputs = String.join("\n", FORMAT, spec.jdk().path().toString(), spec.jdk().release().toString(),
                state(spec.jdk().path()), new TreeSet<>(spec.modules()).toString(),
                Boolean.toString(spec.compress()), Boolean.toString(spec.stripDebug()),
                Boolean.toString(spec.classData()), new TreeSet<>(spec.locales()).toString(), spec.time().toString());
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(inputs.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }

    /** Sizes and times of the JDK's files that go into runtimes, such as trusted certificates. */
    private static String state(Path jdk) throws IOException {
        StringBuilder state = new StringBuilder();
        for (String part : List.of("lib/modules", "lib/server", "lib/security", "conf", "jmods")) {
            if (!Files.exists(jdk.resolve(part))) {
                continue;
            }
            try (var files = Files.walk(jdk.resolve(part), FileVisitOption.FOLLOW_LINKS)) {
                for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile).sorted()::iterator) {
                    state.append(file).append(' ').append(Files.size(file)).append(' ')
                            .append(Files.getLastModifiedTime(file)).append('\n');
                }
            }
        }
        return state.toString();
    }
}
