// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static io.github.javaunikernel.maven.runtime.RuntimeCache.Kind.CLASS_DATA;
import static io.github.javaunikernel.maven.runtime.RuntimeCache.Kind.RUNTIME;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The directory of runtimes, with runtimes of three files. */
class RuntimeCacheTest {

    private static final int SIZE = 1000;
    /** The two other files of an entry have about 250 bytes. */
    private static final long FOUR = 4 * (SIZE + 300);

    @TempDir
    private Path directory;

    private final AtomicInteger made = new AtomicInteger();

    private void make(Path runtime) throws IOException {
        made.incrementAndGet();
        Files.createDirectories(runtime.resolve("lib"));
        Files.write(runtime.resolve("lib/modules"), new byte[SIZE]);
        Files.writeString(runtime.resolve("release"), "MODULES=\"java.base\"\n");
        Files.createSymbolicLink(runtime.resolve("link"), Path.of("release"));
    }

    private RuntimeCache.Entry get(String key, long limit) throws Exception {
        return new RuntimeCache(directory, limit).get(RUNTIME, key, this::make);
    }

    private Set<String> content() throws IOException {
        try (var files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toSet());
        }
    }

    @Test
    void aWholeRuntimeIsUsedAgain() throws Exception {
        RuntimeCache.Entry first = get("a", 0);
        assertTrue(first.fresh());
        assertEquals(new RuntimeCache.Entry(first.path(), false), get("a", 0));
        assertEquals(SIZE, Files.size(first.path().resolve("lib/modules")));
        assertEquals(1, made.get());
        assertEquals(Set.of("runtime-a", "cache.lock"), content());
    }

    @ParameterizedTest
    @ValueSource(strings = {"missing", "shorter", "changed", "further", "link", "checksums"})
    void aDamagedRuntimeIsMadeAgain(String damage) throws Exception {
        Path runtime = get("a", 0).path();
        Path modules = runtime.resolve("lib/modules");
        switch (damage) {
            case "missing" -> Files.delete(modules);
            case "shorter" -> Files.write(modules, new byte[SIZE - 1]);
            case "changed" -> Files.write(modules, new byte[] {1}, StandardOpenOption.WRITE);
            case "further" -> Files.createFile(runtime.resolve("lib/further"));
            case "link" -> {
                Files.delete(runtime.resolve("link"));
                Files.createSymbolicLink(runtime.resolve("link"), Path.of("lib/modules"));
            }
            default -> Files.delete(runtime.resolveSibling("checksums"));
        }
        assertTrue(get("a", 0).fresh());
        assertFalse(get("a", 0).fresh());
        assertEquals(2, made.get());
    }

    @Test
    void aRuntimeThatCannotBeMadeLeavesNothing() throws Exception {
        assertThrows(
                ExplainedException.class,
                () -> new RuntimeCache(directory, 0).get(RUNTIME, "a", runtime -> {
                    make(runtime);
                    throw new ExplainedException("It fails. Try again.");
                }));
        assertEquals(Set.of("cache.lock"), content());
        assertTrue(get("a", 0).fresh());
    }

    @Test
    void whatAKilledBuildLeftIsDeletedAndOtherFilesAreKept() throws Exception {
        Files.createDirectories(directory.resolve("unfinished-123/content"));
        Files.createDirectories(directory.resolve("ami/state"));
        get("a", 1);
        assertEquals(Set.of("runtime-a", "cache.lock", "ami"), content());
    }

    @Test
    void beyondTheLimitThoseUsedLeastRecentlyAreDeleted() throws Exception {
        get("a", 0);
        get("b", 0);
        get("c", 0);
        used("a", Duration.ofDays(1));
        used("b", Duration.ofDays(3));
        used("c", Duration.ofMinutes(10));
        get("d", FOUR);
        assertEquals(Set.of("runtime-a", "runtime-b", "runtime-c", "runtime-d", "cache.lock"), content());
        get("e", FOUR);
        assertEquals(Set.of("runtime-a", "runtime-c", "runtime-d", "runtime-e", "cache.lock"), content());
        get("f", 1);
        assertEquals(Set.of("runtime-c", "runtime-d", "runtime-e", "runtime-f", "cache.lock"), content());
    }

    @Test
    void theLimitIsForAllKindsTogether() throws Exception {
        new RuntimeCache(directory, 0).get(CLASS_DATA, "a", this::make);
        Files.setLastModifiedTime(
                directory.resolve("classdata-a"), FileTime.from(Instant.now().minus(Duration.ofDays(1))));
        get("a", 1);
        assertEquals(Set.of("runtime-a", "cache.lock"), content());
    }

    @Test
    void aUseIsNoted() throws Exception {
        get("a", 0);
        used("a", Duration.ofDays(1));
        get("a", 0);
        get("b", 1);
        assertTrue(content().contains("runtime-a"));
    }

    private void used(String key, Duration ago) throws IOException {
        Files.setLastModifiedTime(
                directory.resolve("runtime-" + key), FileTime.from(Instant.now().minus(ago)));
    }

    @Test
    void twoBuildsAtATimeMakeARuntimeOnce() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CompletableFuture<RuntimeCache.Entry> second = new CompletableFuture<>();
        RuntimeCache.Entry first = new RuntimeCache(directory, 0).get(RUNTIME, "a", runtime -> {
            Thread other = new Thread(() -> {
                begun.countDown();
                try {
                    second.complete(get("a", 0));
                } catch (Exception e) {
                    second.completeExceptionally(e);
                }
            });
            other.start();
            awaitBlocked(begun, other);
            make(runtime);
        });
        assertTrue(first.fresh());
        assertEquals(new RuntimeCache.Entry(first.path(), false), second.get());
        assertEquals(1, made.get());
    }

    private static void awaitBlocked(CountDownLatch begun, Thread other) {
        try {
            begun.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        while (other.getState() != Thread.State.BLOCKED) {
            assertTrue(other.isAlive(), "the other build did not wait");
            Thread.onSpinWait();
        }
    }

    /** The lock of another process is what a program of the system says of it. */
    @Test
    void anotherProcessIsKeptOut() throws Exception {
        get("a", 0);
        new RuntimeCache(directory, 0).get(RUNTIME, "b", runtime -> {
            Process other = new ProcessBuilder(
                            "python3",
                            "-c",
                            "import fcntl, sys\nfile = open(sys.argv[1], 'r+')\n"
                                    + "try:\n fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\nexcept "
                                    + "OSError:\n sys.exit(7)",
                            directory.resolve("cache.lock").toString())
                    .inheritIO()
                    .start();
            try {
                assertEquals(7, other.waitFor());
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            make(runtime);
        });
        try (FileChannel free = FileChannel.open(directory.resolve("cache.lock"), StandardOpenOption.WRITE);
                FileLock lock = free.tryLock()) {
            assertTrue(lock.isValid());
        }
    }
}
