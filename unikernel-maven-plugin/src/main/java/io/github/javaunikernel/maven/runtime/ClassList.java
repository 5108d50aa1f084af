// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/**
 * A list of classes for a class-data archive, in the form that HotSpot's {@code -XX:DumpLoadedClassList} writes: the
 * name of a class with slashes, or a line that begins with {@code @} and says what else of a class, which an earlier
 * line names, is worth keeping. The lines here are sorted, so that a list that is recorded again differs only where the
 * application does.
 *
 * @param lines first the classes, then the others
 */
public record ClassList(List<String> lines) {

    private static final String PARAMETER = "classList";
    private static final String RECORD = "Record it again with 'mvn unikernel:train'.";
    private static final String NOTE = "@";
    private static final String COMMENT = "#";
    /** The first class of every JVM. */
    private static final String FIRST = "java/lang/Object";

    /**
     * What a JVM has recorded. Classes of the application's own class loaders, whose lines name a file of the recording
     * machine, are left out; so are the numbers by which only those lines refer to others.
     */
    public static ClassList recorded(List<String> recording) throws IOException {
        TreeSet<String> classes = new TreeSet<>();
        TreeSet<String> notes = new TreeSet<>();
        for (String line : recording) {
            if (line.startsWith(NOTE)) {
                notes.add(line);
            } else if (!line.isBlank() && !line.startsWith(COMMENT) && !line.contains(" source: ")) {
                classes.add(line.replaceFirst(" id: .*", ""));
            }
        }
        if (!classes.contains(FIRST)) {
            throw new ExplainedException(
                    "The JVM in the guest has recorded no classes. Look at the console of the guest.");
        }
        List<String> lines = new ArrayList<>(classes);
        lines.addAll(notes);
        return new ClassList(lines);
    }

    /** Reads a list that {@link #write} has written, and perhaps somebody has edited since. */
    public static ClassList read(Path file) throws IOException, SettingException {
        List<String> lines = FileTrouble.on(file, () -> Files.readAllLines(file)).stream()
                .filter(line -> !line.isBlank() && !line.startsWith(COMMENT))
                .toList();
        if (!lines.contains(FIRST)) {
            throw new SettingException(
                    PARAMETER, file + " is not a list of classes: it does not name " + FIRST + ".", RECORD);
        }
        return new ClassList(lines);
    }

    /** Writes the list; the file is either the old one or the whole new one at any time. */
    public void write(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        WholeFile.write(file, part -> Files.writeString(part, text()));
    }

    /** How many classes it names. */
    public long classes() {
        return lines.stream().filter(line -> !line.startsWith(NOTE)).count();
    }

    /** The text of the file. */
    String text() {
        return String.join("\n", lines) + "\n";
    }
}
