// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app.conformance;

import java.io.File;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** java.nio.file and java.io.File. */
final class FileChecks implements Conformance.Area {

    /** Each kind of thing that a path can lead to. */
    private static final List<String> PATHS = List.of(
            "file",
            "empty",
            "directory",
            "full",
            "link",
            "dangling",
            "loop",
            "absent",
            "file/below",
            "absent/below",
            "directory/..",
            "link/below");

    private Conformance checks;

    @Override
    public void run(Conformance all) throws Exception {
        checks = all;
        make();
        questions();
        opening();
        changing();
        attributes();
        times();
        listings();
        oldFiles();
    }

    private void make() throws Exception {
        Files.writeString(checks.file("file"), "0123456789");
        Files.createFile(checks.file("empty"));
        Files.createDirectory(checks.file("directory"));
        Files.createDirectory(checks.file("full"));
        Files.writeString(checks.file("full").resolve("inside"), "x");
        Files.createSymbolicLink(checks.file("link"), Path.of("file"));
        Files.createSymbolicLink(checks.file("dangling"), Path.of("nowhere"));
        Files.createSymbolicLink(checks.file("loop"), Path.of("loop"));
    }

    private void questions() {
        for (String path : PATHS) {
            Path file = checks.file(path);
            checks.check(
                    "kind of " + path,
                    () -> Files.exists(file) + " " + Files.notExists(file) + " " + Files.isRegularFile(file)
                            + " " + Files.isDirectory(file) + " " + Files.isSymbolicLink(file) + " "
                            + Files.exists(file, LinkOption.NOFOLLOW_LINKS));
            checks.check(
                    "access to " + path,
                    () -> Files.isReadable(file) + " " + Files.isWritable(file) + " " + Files.isExecutable(file) + " "
                            + Files.isHidden(file));
            checks.check("size of " + path, () -> Files.isDirectory(file) ? "directory" : Files.size(file));
            checks.check("real path of " + path, file::toRealPath);
            checks.check("target of " + path, () -> Files.readSymbolicLink(file));
            checks.check("attributes of " + path, () -> {
                BasicFileAttributes found =
                        Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
                return found.isRegularFile() + " " + found.isDirectory() + " " + found.isSymbolicLink() + " "
                        + found.isOther();
            });
        }
    }

    private void opening() {
        List<Set<OpenOption>> options = List.of(
                Set.of(StandardOpenOption.READ),
                Set.of(StandardOpenOption.WRITE),
                Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
                Set.of(StandardOpenOption.WRITE, StandardOpenOption.APPEND),
                Set.of(StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS),
                Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE));
        for (String path : PATHS) {
            for (Set<OpenOption> set : options) {
                checks.check(
                        "open " + path + " "
                                + new TreeSet<>(
                                        set.stream().map(Object::toString).toList()),
                        () -> {
                            boolean there = Files.exists(checks.file(path), LinkOption.NOFOLLOW_LINKS);
                            try (var channel = Files.newByteChannel(checks.file(path), set)) {
                                // The size of a directory is its file system's affair.
                                return channel.isOpen() + " "
                                        + (Files.isDirectory(checks.file(path)) ? "directory" : channel.size()) + " "
                                        + channel.position();
                            } finally {
                                if (!there) {
                                    Files.deleteIfExists(checks.file(path));
                                }
                            }
                        });
            }
        }
    }

    private void changing() {
        checks.check("delete a full directory", () -> {
            Files.delete(checks.file("full"));
            return "deleted";
        });
        for (String path : List.of("absent", "file/below", "absent/below")) {
            checks.check("delete " + path, () -> Files.deleteIfExists(checks.file(path)));
            checks.check("create directory " + path, () -> {
                Path made = Files.createDirectory(checks.file(path));
                Files.delete(made);
                return "made";
            });
        }
        for (String from : List.of("file", "directory", "full", "link", "absent")) {
            for (String to : List.of("copy", "empty", "directory", "full", "absent/below")) {
                move(from, to);
            }
        }
        checks.check("create directories", () -> Files.isDirectory(Files.createDirectories(checks.file("a/b/c/d"))));
        checks.check("name too long", () -> Files.createFile(checks.file("n".repeat(256))));
        checks.check("longest name", () -> Files.exists(Files.createFile(checks.file("n".repeat(255)))));
        checks.check("path too long", () -> Files.createFile(checks.file("d/".repeat(2100) + "x")));
        checks.check("hard link", () -> {
            Files.createLink(checks.file("second"), checks.file("file"));
            String links = Files.getAttribute(checks.file("file"), "unix:nlink").toString();
            Files.delete(checks.file("second"));
            return links + " " + Files.getAttribute(checks.file("file"), "unix:nlink");
        });
        checks.check(
                "hard link to a directory", () -> Files.createLink(checks.file("second"), checks.file("directory")));
        checks.check("truncate", () -> {
            Path file = Files.writeString(checks.file("cut"), "0123456789");
            Files.write(file, new byte[0], StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE);
            return Files.size(file);
        });
        checks.check("append", () -> {
            Path file = Files.writeString(checks.file("grown"), "01");
            Files.writeString(file, "23", StandardOpenOption.APPEND);
            return Files.readString(file);
        });
        checks.check("temporary file", () -> {
            Path file = Files.createTempFile(checks.scratch(), "a", "b");
            return PosixFilePermissions.toString(Files.getPosixFilePermissions(file)) + " "
                    + Files.deleteIfExists(file);
        });
        checks.check("delete on close", () -> {
            Path file = checks.file("gone");
            Files.newByteChannel(
                            file,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.DELETE_ON_CLOSE)
                    .close();
            return Files.exists(file);
        });
    }

    private void move(String from, String to) {
        for (CopyOption option : List.of(StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE)) {
            checks.check("move " + from + " to " + to + " " + option, () -> {
                Path source = checks.file(from + ".moved"), target = checks.file("target");
                copyTree(checks.file(from), source);
                Path destination = to.contains("/") ? checks.file(to) : target;
                if (!to.equals("copy") && !to.contains("/")) {
                    copyTree(checks.file(to), target);
                }
                try {
                    Files.move(source, destination, option);
                    return Files.exists(source, LinkOption.NOFOLLOW_LINKS) + " " + describe(destination);
                } finally {
                    deleteTree(source);
                    deleteTree(target);
                }
            });
        }
    }

    private static String describe(Path path) throws Exception {
        if (Files.isSymbolicLink(path)) {
            return "link to " + Files.readSymbolicLink(path);
        }
        return Files.isDirectory(path) ? "directory " + names(path) : "file " + Files.size(path);
    }

    private static void copyTree(Path from, Path to) throws Exception {
        if (!Files.exists(from, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.copy(from, to, LinkOption.NOFOLLOW_LINKS);
        if (Files.isDirectory(from, LinkOption.NOFOLLOW_LINKS)) {
            for (String name : names(from)) {
                copyTree(from.resolve(name), to.resolve(name));
            }
        }
    }

    private static void deleteTree(Path path) throws Exception {
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            for (String name : names(path)) {
                deleteTree(path.resolve(name));
            }
        }
        Files.deleteIfExists(path);
    }

    private void attributes() {
        for (String permissions : List.of("rwxrwxrwx", "rw-r--r--", "r--------", "---------", "rwxr-x--x")) {
            checks.check("permissions " + permissions, () -> {
                Files.setPosixFilePermissions(checks.file("file"), PosixFilePermissions.fromString(permissions));
                return PosixFilePermissions.toString(Files.getPosixFilePermissions(checks.file("file"))) + " "
                        + Files.getAttribute(checks.file("file"), "unix:mode");
            });
        }
        checks.check("set-user-id", () -> {
            Files.setAttribute(checks.file("file"), "unix:mode", 04755);
            return Files.getAttribute(checks.file("file"), "unix:mode");
        });
        checks.check(
                "views", () -> new TreeSet<>(checks.scratch().getFileSystem().supportedFileAttributeViews()));
        checks.check("user attributes", () -> {
            UserDefinedFileAttributeView view =
                    Files.getFileAttributeView(checks.file("file"), UserDefinedFileAttributeView.class);
            view.write("colour", java.nio.ByteBuffer.wrap("blue".getBytes()));
            return view.list() + " " + view.size("colour");
        });
    }

    private void times() {
        for (String time : List.of(
                "1970-01-01T00:00:00Z",
                "1969-12-31T23:59:59Z",
                "1901-12-14T00:00:00Z",
                "2038-01-19T03:14:08Z",
                "2024-02-29T12:34:56.789012345Z",
                "2106-02-07T06:28:16Z")) {
            checks.check("modified " + time, () -> {
                Files.setLastModifiedTime(checks.file("file"), FileTime.from(Instant.parse(time)));
                return Files.getLastModifiedTime(checks.file("file"));
            });
        }
        checks.check("writing changes the time", () -> {
            FileTime old = FileTime.from(Instant.parse("2001-01-01T00:00:00Z"));
            Files.setLastModifiedTime(checks.file("empty"), old);
            Files.write(checks.file("empty"), new byte[1]);
            return Files.getLastModifiedTime(checks.file("empty")).compareTo(old) > 0;
        });
    }

    private void listings() {
        checks.check(
                "names",
                () -> names(checks.scratch()).stream()
                        .filter(name -> name.length() < 100)
                        .toList());
        checks.check("pattern", () -> {
            List<String> found = new ArrayList<>();
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(checks.scratch(), "{f,l}*")) {
                stream.forEach(path -> found.add(path.getFileName().toString()));
            }
            return found.stream().sorted().toList();
        });
        checks.check("list a file", () -> names(checks.file("file")));
        checks.check("list an absent directory", () -> names(checks.file("absent")));
        checks.check("walk", () -> {
            try (var paths = Files.walk(checks.file("a"))) {
                return paths.map(path -> checks.scratch().relativize(path).toString())
                        .sorted()
                        .collect(Collectors.joining(","));
            }
        });
        checks.check("walk round a loop of links", () -> {
            Path directory = Files.createDirectory(checks.file("round"));
            Files.createSymbolicLink(directory.resolve("again"), directory);
            try (var paths = Files.walk(directory, FileVisitOption.FOLLOW_LINKS)) {
                return paths.count();
            } catch (java.io.UncheckedIOException e) {
                return e.getCause().getClass();
            }
        });
    }

    private void oldFiles() {
        for (String path : List.of("file", "directory", "link", "dangling", "absent", "file/below")) {
            File file = checks.file(path).toFile();
            checks.check(
                    "java.io.File " + path,
                    () -> file.exists() + " " + file.isFile() + " " + file.isDirectory() + " " + file.canRead() + " "
                            + (file.isFile() ? file.length() : 0) + " " + (file.list() == null));
            checks.check("canonical " + path, file::getCanonicalPath);
        }
        checks.check("rename", () -> {
            File from = checks.file("from").toFile();
            return from.createNewFile() + " " + from.createNewFile() + " "
                    + from.renameTo(checks.file("to").toFile()) + " "
                    + from.renameTo(checks.file("to").toFile());
        });
        checks.check("read only", () -> {
            File file = checks.file("to").toFile();
            return file.setReadOnly() + " "
                    + PosixFilePermissions.toString(Files.getPosixFilePermissions(file.toPath()));
        });
        checks.check(
                "mkdirs",
                () -> checks.file("p/q/r").toFile().mkdirs() + " "
                        + checks.file("p/q/r").toFile().mkdirs() + " "
                        + checks.file("p").toFile().delete() + " "
                        + checks.file("p/q/r").toFile().delete());
        checks.check("last modified", () -> {
            File file = checks.file("to").toFile();
            return file.setLastModified(86_400_123L) + " " + file.lastModified();
        });
        checks.check(
                "space",
                () -> (checks.scratch().toFile().getTotalSpace() > 0) + " "
                        + (checks.scratch().toFile().getUsableSpace() > 0) + " "
                        + checks.file("absent").toFile().getTotalSpace());
    }

    private static List<String> names(Path directory) throws Exception {
        try (var paths = Files.list(directory)) {
            return paths.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }
}
