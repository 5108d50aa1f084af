// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * Links runtimes with jlink. They are kept in a directory, each under a key made of all that goes into it, so that an
 * unchanged one is not linked again. Several builds may share the directory.
 */
public final class RuntimeLinker {

    /** Raised when the way of linking changes, so that runtimes of older versions are not taken for new ones. */
    private static final String FORMAT = "2";
    /** jlink names its compression by level from this version on. */
    private static final int NAMED_COMPRESSION = 21;

    private static final int KEY_DIGITS = 16;
    /** The parts of a JDK that go into runtimes. Those that an administrator changes count with their content. */
    private static final List<String> DELIVERED = List.of("lib/modules", "lib/server", "jmods");

    private static final List<String> CONFIGURED = List.of("lib/security", "conf");

    private static final String DUMP_HEAP = "-Xmx128m";

    private final RuntimeCache cache;

    /**
     * Keeps runtimes in a directory.
     *
     * @param limit for the size of all that is kept there in bytes, 0 for none; beyond it what was used least recently
     *     is deleted
     */
    public RuntimeLinker(Path directory, long limit) {
        cache = new RuntimeCache(directory, limit);
    }

    /**
     * A runtime.
     *
     * @param path its home directory
     * @param fresh whether it was linked now rather than found
     */
    public record Linked(Path path, boolean fresh) {}

    /** Returns the runtime for the specification, linking it when it is not there or is damaged. */
    public Linked link(RuntimeSpec spec) throws IOException, SettingException {
        RuntimeCache.Entry entry = cache.get(RuntimeCache.Kind.RUNTIME, key(spec), runtime -> make(spec, runtime));
        return new Linked(entry.path(), entry.fresh());
    }

    private static void make(RuntimeSpec spec, Path runtime) throws IOException, SettingException {
        jlink(spec, runtime);
        setTimes(runtime, spec);
        if (spec.classData()) {
            dump(new ClassData(spec.jdk(), runtime), runtime);
            setTimes(runtime, spec);
        }
    }

    private static void dump(ClassData data, Path runtime) throws IOException, SettingException {
        try {
            data.dump(runtime.resolve(ClassData.PLACE), runtime, List.of(DUMP_HEAP));
        } catch (ToolException e) {
            throw new SettingException(
                    "cds",
                    "The class data of the JDK cannot be made: " + OptionProof.shortened(e.output()),
                    "Set it to off, or choose another JDK with jdkHome.",
                    e);
        }
    }

    /** Names of the modules of a linked runtime, in its own order. */
    public static List<String> modules(Path runtime) throws IOException {
        Path release = runtime.resolve("release");
        for (String line : FileTrouble.on(release, () -> Files.readAllLines(release))) {
            if (line.startsWith("MODULES=")) {
                return List.of(
                        line.substring("MODULES=".length()).replace("\"", "").split(" "));
            }
        }
        throw new ExplainedException(
                runtime.resolve("release") + " names no modules. Delete " + runtime + " and build again.");
    }

    private static void jlink(RuntimeSpec spec, Path output) throws IOException, SettingException {
        JavaHome jdk = spec.jdk();
        List<String> command = new ArrayList<>(List.of(
                jdk.tool("jlink"),
                "--add-modules",
                String.join(",", new TreeSet<>(spec.modules())),
                "--no-header-files",
                "--no-man-pages",
                "--output",
                output.toString()));
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
                throw new SettingException(
                        "locales",
                        "The runtime cannot be linked: " + OptionProof.shortened(e.output()),
                        "Name locales that the JDK has data of.",
                        e);
            }
            throw new SettingException(
                    "modules",
                    "The runtime cannot be linked: " + OptionProof.shortened(e.output()),
                    "Correct the modules or choose another JDK with jdkHome.",
                    e);
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

    /** The time counts only for class data, which remember it. */
    private static String key(RuntimeSpec spec) throws IOException {
        String inputs = String.join(
                "\n",
                FORMAT,
                spec.jdk().release().toString(),
                content(spec.jdk().path()),
                new TreeSet<>(spec.modules()).toString(),
                Boolean.toString(spec.compress()),
                Boolean.toString(spec.stripDebug()),
                new TreeSet<>(spec.locales()).toString(),
                spec.classData() ? spec.time().toString() : "no class data");
        return Checksum.of(inputs).substring(0, KEY_DIGITS);
    }

    /**
     * What distinguishes a JDK from others with the same release file. Times do not: each installation of the same JDK
     * has others.
     */
    private static String content(Path jdk) throws IOException {
        StringBuilder content = new StringBuilder();
        for (Path file : files(jdk, DELIVERED)) {
            content.append(jdk.relativize(file))
                    .append(' ')
                    .append(Files.size(file))
                    .append('\n');
        }
        for (Path file : files(jdk, CONFIGURED)) {
            content.append(jdk.relativize(file))
                    .append(' ')
                    .append(FileTrouble.on(file, () -> Checksum.of(file)))
                    .append('\n');
        }
        return content.toString();
    }

    private static List<Path> files(Path jdk, List<String> parts) throws IOException {
        List<Path> found = new ArrayList<>();
        for (String part : parts) {
            if (Files.exists(jdk.resolve(part))) {
                try (var files = Files.walk(jdk.resolve(part), FileVisitOption.FOLLOW_LINKS)) {
                    files.filter(Files::isRegularFile).sorted().forEach(found::add);
                }
            }
        }
        return found;
    }
}
