// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.invoked;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirFactory;

/**
 * Temporary directories of tests, each named after the JVM that made it. A JVM that is killed cannot delete its own, so
 * the next one does.
 */
public final class OwnedTempDirectories implements TempDirFactory {

    private static final Pattern NAME = Pattern.compile("unikernel-test-(\\d+)-.*");
    private static final Path PLACE = Path.of(System.getProperty("java.io.tmpdir"));

    static {
        deleteAbandoned(PLACE);
    }

    @Override
    public Path createTempDirectory(AnnotatedElementContext element, ExtensionContext test) throws IOException {
        return Files.createTempDirectory(
                PLACE, "unikernel-test-" + ProcessHandle.current().pid() + "-");
    }

    /** Deletes what JVMs that have ended left in a directory. */
    static void deleteAbandoned(Path place) {
        try (DirectoryStream<Path> directories = Files.newDirectoryStream(place, "unikernel-test-*")) {
            for (Path directory : directories) {
                Matcher name = NAME.matcher(directory.getFileName().toString());
                if (name.matches()
                        && ProcessHandle.of(Long.parseLong(name.group(1))).isEmpty()
                        && Files.isWritable(directory)) {
                    delete(directory);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Several JVMs may do it at the same time, so a file may be gone already. */
    private static void delete(Path directory) throws IOException {
        List<Path> all;
        try (Stream<Path> files = Files.walk(directory)) {
            all = files.sorted(Comparator.reverseOrder()).toList();
        } catch (UncheckedIOException | NoSuchFileException e) {
            return;
        }
        for (Path file : all) {
            Files.deleteIfExists(file);
        }
    }
}
