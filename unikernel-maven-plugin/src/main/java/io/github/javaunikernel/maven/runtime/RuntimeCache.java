// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * A directory that keeps what takes long to make: linked runtimes, class data, unpacked JDKs and systems, each in
 * {@code KIND-KEY} with the checksums of its files. An entry appears when it is complete, is checked whenever it is
 * used, and is made again if it is damaged. One lock covers the directory, so that builds that need the same entry at a
 * time make it once, and what is unfinished when a build gets the lock was left by one that was killed. Other files in
 * the directory are left alone.
 */
final class RuntimeCache {

    /** What is kept. */
    enum Kind {
        RUNTIME("runtime-"),
        CLASS_DATA("classdata-"),
        JDK("jdk-"),
        SYSTEM("system-");

        private final String start;

        Kind(String start) {
            this.start = start;
        }
    }

    /**
     * An entry.
     *
     * @param path the directory with its content
     * @param fresh whether it was made now rather than found
     */
    record Entry(Path path, boolean fresh) {}

    /** Makes the content of an entry in a directory that is not there yet. */
    interface Maker {
        /** Does it. */
        void make(Path content) throws IOException, SettingException;
    }

    private static final String UNFINISHED = "unfinished-";
    private static final String CONTENT = "content";
    private static final String CHECKSUMS = "checksums";
    /** What was used a shorter time ago may be in use by a build that still reads it. */
    private static final Duration MAY_BE_IN_USE = Duration.ofHours(1);

    private final Path directory;
    private final long limit;

    /**
     * Uses a directory.
     *
     * @param limit for the size of all entries in bytes, 0 for none; beyond it those used least recently are deleted
     */
    RuntimeCache(Path directory, long limit) {
        this.directory = directory;
        this.limit = limit;
    }

    /**
     * Returns the entry with a key, which stands for everything that went into it; makes it if it is absent or damaged.
     */
    Entry get(Kind kind, String key, Maker maker) throws IOException, SettingException {
        Path real = Files.createDirectories(directory).toRealPath();
        // A file lock is held by the whole JVM. Interned text is one object in it, whichever class loader asks.
        synchronized ((RuntimeCache.class.getName() + real).intern()) {
            Path lock = real.resolve("cache.lock");
            try (FileChannel file = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                FileTrouble.on(lock, file::lock);
                return locked(directory.resolve(kind.start + key), maker);
            }
        }
    }

    private Entry locked(Path entry, Maker maker) throws IOException, SettingException {
        boolean whole = isWhole(entry);
        if (!whole) {
            for (Path rest : named(UNFINISHED)) {
                DirectoryTree.delete(rest);
            }
            DirectoryTree.delete(entry);
            make(entry, maker);
        }
        Files.setLastModifiedTime(entry, FileTime.from(Instant.now()));
        if (!whole) {
            deleteOldest();
        }
        return new Entry(entry.resolve(CONTENT), !whole);
    }

    private void make(Path entry, Maker maker) throws IOException, SettingException {
        Path unfinished = Files.createTempDirectory(directory, UNFINISHED);
        try {
            maker.make(unfinished.resolve(CONTENT));
            Path checksums = unfinished.resolve(CHECKSUMS);
            String text = checksums(unfinished.resolve(CONTENT));
            FileTrouble.on(checksums, () -> Files.writeString(checksums, text));
            Files.move(unfinished, entry, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            DirectoryTree.delete(unfinished);
        }
    }

    private static boolean isWhole(Path entry) throws IOException {
        Path checksums = entry.resolve(CHECKSUMS);
        if (!Files.isRegularFile(checksums) || !Files.isDirectory(entry.resolve(CONTENT))) {
            return false;
        }
        byte[] expected = FileTrouble.on(checksums, () -> Files.readAllBytes(checksums));
        return MessageDigest.isEqual(expected, checksums(entry.resolve(CONTENT)).getBytes(StandardCharsets.UTF_8));
    }

    /** A line for each file: its checksum, or where it points to, and its path. */
    private static String checksums(Path content) throws IOException {
        StringBuilder text = new StringBuilder();
        try (var files = Files.walk(content)) {
            for (Path file : (Iterable<Path>) files.sorted()::iterator) {
                if (Files.isSymbolicLink(file)) {
                    text.append("-> ").append(Files.readSymbolicLink(file));
                } else if (Files.isRegularFile(file)) {
                    text.append(FileTrouble.on(file, () -> Checksum.of(file)));
                } else {
                    text.append('d');
                }
                text.append(' ').append(content.relativize(file)).append('\n');
            }
        }
        return text.toString();
    }

    private void deleteOldest() throws IOException {
        List<Path> entries = new ArrayList<>();
        for (Kind kind : Kind.values()) {
            entries.addAll(named(kind.start));
        }
        long size = 0;
        for (Path entry : entries) {
            size += size(entry);
        }
        entries.sort(Comparator.comparing(RuntimeCache::lastUse));
        Instant inUse = Instant.now().minus(MAY_BE_IN_USE);
        for (Path entry : entries) {
            if (limit == 0 || size <= limit || !lastUse(entry).isBefore(inUse)) {
                return;
            }
            size -= size(entry);
            DirectoryTree.delete(entry);
        }
    }

    private static Instant lastUse(Path entry) {
        return Instant.ofEpochMilli(entry.toFile().lastModified());
    }

    private static long size(Path entry) throws IOException {
        try (var files = Files.walk(entry)) {
            return files.filter(file -> Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS))
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        }
    }

    private List<Path> named(String start) throws IOException {
        try (var files = Files.list(directory)) {
            return files.filter(file -> file.getFileName().toString().startsWith(start) && Files.isDirectory(file))
                    .toList();
        }
    }
}
