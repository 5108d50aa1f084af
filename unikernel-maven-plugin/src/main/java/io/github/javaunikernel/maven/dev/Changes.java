// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.dev;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileSystems;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * Notices what changes below some directories, which need not be there yet and may be deleted meanwhile. One thread may
 * wait, another may close it.
 */
final class Changes implements Closeable {

    /** A compiler writes many files, and all of them belong to one change. */
    private static final long QUIET_MILLISECONDS = 150;

    private final List<Path> roots;
    private final WatchService watcher;

    /** Watches from now on. */
    Changes(List<Path> roots) throws IOException {
        this.roots =
                roots.stream().map(root -> root.toAbsolutePath().normalize()).toList();
        watcher = FileSystems.getDefault().newWatchService();
        try {
            register();
        } catch (IOException e) {
            watcher.close();
            throw e;
        }
    }

    /** Waits for a change, and then until there is no further one for a moment; returns nothing after the close. */
    Set<Path> await() throws IOException, InterruptedException {
        Set<Path> changed = new TreeSet<>();
        try {
            while (changed.isEmpty()) {
                take(watcher.take(), changed);
            }
            WatchKey next = watcher.poll(QUIET_MILLISECONDS, TimeUnit.MILLISECONDS);
            while (next != null) {
                take(next, changed);
                next = watcher.poll(QUIET_MILLISECONDS, TimeUnit.MILLISECONDS);
            }
            return changed;
        } catch (ClosedWatchServiceException e) {
            return Set.of();
        }
    }

    private void take(WatchKey key, Set<Path> changed) throws IOException {
        Path directory = (Path) key.watchable();
        for (WatchEvent<?> event : key.pollEvents()) {
            Path path = event.context() instanceof Path name ? directory.resolve(name) : directory;
            if (concerns(path)) {
                changed.add(path);
            }
        }
        key.reset();
        // What is written into a new directory before it is watched is there when the caller looks at it.
        register();
    }

    /** Above a directory that is missing, only its own appearance counts. */
    private boolean concerns(Path path) {
        return roots.stream().anyMatch(root -> path.startsWith(root) || root.startsWith(path) && Files.exists(root));
    }

    private void register() throws IOException {
        for (Path root : roots) {
            Optional<Path> above = existingAbove(root);
            if (Files.isDirectory(root)) {
                registerBelow(root);
            }
            if (above.isPresent()) {
                // The end of the directory is to be seen from above, as its appearance is.
                watch(above.get());
            }
        }
    }

    private static Optional<Path> existingAbove(Path root) {
        Path directory = root.getParent();
        while (directory != null && !Files.isDirectory(directory)) {
            directory = directory.getParent();
        }
        return Optional.ofNullable(directory);
    }

    private void registerBelow(Path root) throws IOException {
        Files.walkFileTree(root, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                watch(directory);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure) throws IOException {
                if (failure instanceof NoSuchFileException) {
                    return FileVisitResult.CONTINUE;
                }
                throw failure;
            }
        });
    }

    /** A directory that is watched already stays so. */
    private void watch(Path directory) throws IOException {
        try {
            FileTrouble.on(
                    directory,
                    () -> directory.register(
                            watcher,
                            StandardWatchEventKinds.ENTRY_CREATE,
                            StandardWatchEventKinds.ENTRY_MODIFY,
                            StandardWatchEventKinds.ENTRY_DELETE));
        } catch (NoSuchFileException e) {
            // Deleted meanwhile, which is a change that the directory above reports.
        }
    }

    @Override
    public void close() throws IOException {
        watcher.close();
    }
}
