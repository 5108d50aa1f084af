// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Proves that the JVM takes a class-data archive, by a start with the options of the guest that loads the main class
 * and ends. A JVM that does not take one runs without, some versions without a message, so the classes are counted.
 *
 * @param directory the application as it was when the archive was made
 * @param program the class path, relative to the directory, and the main class, as on the command line
 */
public record ClassDataProof(JavaHome jdk, Path runtime, Path directory, List<String> program) {

    private static final String FROM_ARCHIVE = "source: shared objects file";
    private static final String LOADED = " source: ";

    /** The options for an archive in place of the JDK's own. */
    public static List<String> ofClassData(Path archive) {
        return List.of("-XX:SharedArchiveFile=" + archive.toAbsolutePath(), "-Xshare:auto", "-Xlog:cds");
    }

    /** The options for an AOT cache. */
    public static List<String> ofAotCache(Path cache) {
        return List.of("-XX:AOTCache=" + cache.toAbsolutePath(), "-Xlog:aot");
    }

    /**
     * What a start loaded.
     *
     * @param archived classes that came from the archive
     * @param all classes
     */
    public record Count(long archived, long all) {}

    /**
     * Starts the JVM.
     *
     * @param taking options that name the archive
     * @param options of the guest besides, in the order in which it gives them
     * @param environment variables that hold options
     * @return nothing when this machine has too little memory for a start with these options
     */
    public Optional<Count> prove(List<String> taking, List<String> options, Map<String, String> environment)
            throws IOException, SettingException {
        // The JVM keeps a log that is there before under another name, so only a directory can be cleaned up.
        Path scratch = Files.createTempDirectory("unikernel-classes");
        Path log = scratch.resolve("log");
        try {
            List<String> words = new ArrayList<>(taking);
            words.addAll(List.of("-Xlog:class+load:file=" + log + ":none", "--dry-run"));
            words.addAll(program);
            String output = new OptionProof(jdk, runtime).start(options, environment, words, directory);
            return Optional.of(counted(FileTrouble.on(log, () -> Files.readAllLines(log)), output));
        } catch (ToolException e) {
            if (OptionProof.isOfThisMachine(e)) {
                return Optional.empty();
            }
            throw refused(e.output());
        } finally {
            DirectoryTree.delete(scratch);
        }
    }

    private static Count counted(List<String> log, String output) throws SettingException {
        long archived = log.stream().filter(line -> line.contains(FROM_ARCHIVE)).count();
        if (archived == 0) {
            throw refused(output);
        }
        return new Count(
                archived, log.stream().filter(line -> line.contains(LOADED)).count());
    }

    private static SettingException refused(String output) {
        return new SettingException(
                "cds",
                "The JVM does not take the class data of the application with these" + " options: "
                        + OptionProof.shortened(output),
                "Set it to jdk or off, or change the options.");
    }
}
