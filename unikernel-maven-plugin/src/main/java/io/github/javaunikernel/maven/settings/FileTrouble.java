// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.settings;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.zip.ZipException;

/**
 * What the system refuses to do with a file, in words for the user.
 *
 * @param problem one sentence
 * @param fix one sentence that says what to do; empty when {@code problem} says that already
 * @param file that it is about, if that is known
 */
public record FileTrouble(String problem, String fix, Optional<Path> file) {

    /** Work on a file, which may also throw another exception. */
    public interface Work<T, E extends Exception> {
        /** Does it. */
        T run() throws IOException, E;
    }

    /**
     * Runs work on a file. Streams and channels do not name the file when they fail; a failure that leaves here does.
     * One that concerns the content of what is read is passed on, since another file may be meant.
     */
    public static <T, E extends Exception> T on(Path file, Work<T, E> work) throws IOException, E {
        try {
            return work.run();
        } catch (UncheckedIOException e) {
            throw named(file, e.getCause());
        } catch (IOException e) {
            throw named(file, e);
        }
    }

    private static IOException named(Path file, IOException failure) {
        boolean ofContent = failure instanceof ZipException || failure instanceof EOFException;
        if (ofContent || failure instanceof FileSystemException || failure instanceof ExplainedException) {
            return failure;
        }
        if (failure instanceof CharacterCodingException) {
            return new ExplainedException(file + " is not text in UTF-8. Save it in that encoding.", failure);
        }
        FileSystemException named = new FileSystemException(file.toString(), null, reason(failure));
        named.initCause(failure);
        return named;
    }

    /** Puts a failure into words. */
    public static FileTrouble of(IOException failure) {
        if (failure instanceof ExplainedException explained) {
            return explained.trouble();
        }
        if (failure instanceof FileSystemException refused && refused.getFile() != null) {
            return about(refused);
        }
        return new FileTrouble(
                "A file cannot be read or written: " + reason(failure) + ".",
                "Check the disks of the project and of the directory for temporary files, and build again.",
                Optional.empty());
    }

    private static FileTrouble about(FileSystemException refused) {
        String file = refused.getFile();
        Optional<Path> path = Optional.of(Path.of(file));
        return switch (Kind.of(refused)) {
            case ABSENT -> new FileTrouble("There is no " + file + ".", "Create it, or correct the path.", path);
            case FORBIDDEN ->
                new FileTrouble(
                        "This user may not read or write " + file + ".",
                        "Change the permissions of the file or its directory, or name another one.",
                        path);
            case FILE_IN_PATH ->
                new FileTrouble(
                        file + " is a file, or has one in its path, where a directory must be.",
                        "Move the file away, or name another directory.",
                        path);
            case DIRECTORY ->
                new FileTrouble(
                        file + " is a directory where a file must be.", "Move it away, or name another file.", path);
            case FULL ->
                new FileTrouble(
                        "There is no space left for " + file + ".",
                        "Free some space on its disk, or name a directory on another one.",
                        path);
            case READ_ONLY ->
                new FileTrouble(
                        file + " is on a disk that cannot be written to.", "Name a directory on another one.", path);
            case IN_USE ->
                new FileTrouble(
                        file + " is in use by another program, or protected.",
                        "End that program, such as a guest that runs from the file, and build again.",
                        path);
            case OTHER ->
                new FileTrouble(
                        file + " cannot be read or written: " + reason(refused) + ".",
                        "Check the file and its disk, and build again.",
                        path);
        };
    }

    /** Why a file cannot be read or written, as a part of a sentence without a full stop. */
    public static String cause(Path file, IOException failure) {
        Kind kind = Kind.of(failure);
        return (kind == Kind.OTHER ? Kind.ofState(file) : kind).cause;
    }

    private enum Kind {
        ABSENT("it does not exist, or its directory does not"),
        FORBIDDEN("the permission is missing"),
        FILE_IN_PATH("a file is where a directory should be"),
        DIRECTORY("it is a directory"),
        FULL("the disk is full"),
        READ_ONLY("the disk cannot be written to"),
        IN_USE("another program uses it"),
        OTHER("the system reports an error of input or output");

        private final String cause;

        Kind(String cause) {
            this.cause = cause;
        }

        static Kind of(IOException failure) {
            if (failure instanceof NoSuchFileException) {
                return ABSENT;
            }
            if (failure instanceof AccessDeniedException denied) {
                return isOpenTo(denied) ? IN_USE : FORBIDDEN;
            }
            if (failure instanceof FileAlreadyExistsException || failure instanceof NotDirectoryException) {
                return FILE_IN_PATH;
            }
            if (failure instanceof DirectoryNotEmptyException) {
                return DIRECTORY;
            }
            return switch (reason(failure)) {
                case "Not a directory" -> FILE_IN_PATH;
                case "Is a directory" -> DIRECTORY;
                case "No space left on device", "Disk quota exceeded" -> FULL;
                case "Read-only file system" -> READ_ONLY;
                case "The process cannot access the file because it is being used by another process" -> IN_USE;
                default -> OTHER;
            };
        }

        /** Windows denies access to a file that is permitted, but open in another program. */
        private static boolean isOpenTo(AccessDeniedException denied) {
            return denied.getFile() != null
                    && Files.isRegularFile(Path.of(denied.getFile()))
                    && Files.isWritable(Path.of(denied.getFile()));
        }

        /** What the file itself shows, because the system's words may be in another language. */
        static Kind ofState(Path file) {
            if (Files.isDirectory(file)) {
                return DIRECTORY;
            }
            Path parent = file.toAbsolutePath().getParent();
            if (parent == null || !Files.exists(parent)) {
                return OTHER;
            }
            if (!Files.isDirectory(parent)) {
                return FILE_IN_PATH;
            }
            try {
                return Files.getFileStore(parent).getUsableSpace() == 0 ? FULL : OTHER;
            } catch (IOException e) {
                return OTHER;
            }
        }
    }

    /** The system's own words, without the names of files, programs and classes that Java puts in front. */
    public static String reason(IOException failure) {
        String text = failure instanceof FileSystemException refused ? refused.getReason() : failure.getMessage();
        String words = Objects.requireNonNullElse(text, "")
                .replaceFirst("(?s)^.*error=\\d+, ", "")
                .replaceFirst("^.*\\((\\p{Upper}[\\p{Alpha} -]+)\\)$", "$1")
                .replaceFirst("\\.$", "")
                .strip();
        return words.isEmpty() ? "the system gives no reason" : words;
    }

    /** Both sentences. */
    public String text() {
        return (problem + " " + fix).strip();
    }
}
