// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.image.FileContent;
import io.github.javaunikernel.maven.image.ImageTree;
import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.runtime.LoadedElf;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.codehaus.plexus.util.DirectoryScanner;
import org.codehaus.plexus.util.MatchPatterns;

/** Files of the build machine on their way into an image. */
final class HostFiles {

    private static final MatchPatterns LEFT_BEHIND = MatchPatterns.from(DirectoryScanner.DEFAULTEXCLUDES);

    /** As elf(5) and execve(2) have it. */
    private static final String ELF = "\u007fELF";

    private static final String SCRIPT = "#!";
    private static final int LONGEST_MAGIC = 4;

    private HostFiles() {}

    /** Everything below a directory that is wanted, sorted; the predicate gets paths relative to it. */
    static List<Path> under(Path directory, Predicate<Path> wanted) throws IOException {
        try (var walk = Files.walk(directory)) {
            return walk.filter(file -> !file.equals(directory) && wanted.test(directory.relativize(file)))
                    .sorted()
                    .toList();
        }
    }

    /**
     * The user's own files for the image, sorted; none where there is no directory for them. Those that editors,
     * version control and systems leave behind are not wanted, as nowhere in Maven.
     */
    static List<Path> own(ImageRequest request) throws IOException {
        Path files = request.files();
        return files == null || !Files.isDirectory(files)
                ? List.of()
                : under(files, path -> !LEFT_BEHIND.matches(path.toString(), true));
    }

    /** Adds a file, link or directory as it is. */
    static void add(ImageTree tree, String path, Path file, String origin) throws IOException {
        if (Files.isSymbolicLink(file)) {
            tree.symbolicLink(path, DirectoryTree.slashed(Files.readSymbolicLink(file)), origin);
        } else if (Files.isDirectory(file)) {
            tree.directory(path);
        } else if (!Files.isRegularFile(file)) {
            // To read a pipe would wait for a writer that never comes.
            throw new ExplainedException(
                    file + " is a pipe, a socket or a device, which no image can have. Move it away.");
        } else {
            tree.file(path, FileContent.of(file), permissions(file), origin);
        }
    }

    /**
     * The content of a program or library.
     *
     * @param strip whether debugging symbols are left out, where it has such
     */
    static FileContent nativeContent(Path file, boolean strip) throws IOException {
        if (!strip) {
            return FileContent.of(file);
        }
        Optional<LoadedElf> loaded = LoadedElf.of(file);
        return loaded.isPresent() ? loaded.get()::open : FileContent.of(file);
    }

    /**
     * The mode of a file by what it is, since not every system that builds images has modes: programs, libraries and
     * scripts may be executed.
     */
    static int permissions(Path file) throws IOException {
        byte[] start = FileTrouble.on(file, () -> {
            try (InputStream in = Files.newInputStream(file)) {
                return in.readNBytes(LONGEST_MAGIC);
            }
        });
        String magic = new String(start, StandardCharsets.ISO_8859_1);
        return magic.startsWith(ELF) || magic.startsWith(SCRIPT) ? 0755 : 0644;
    }
}
