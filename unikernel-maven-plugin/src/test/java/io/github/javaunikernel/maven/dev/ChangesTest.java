// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.dev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A change that is missed lets these tests wait for ever. */
class ChangesTest {

    @TempDir
    private Path scratch;

    /** Waits until a change of this file has been noticed. */
    private static Set<Path> awaitFile(Changes changes, Path file) throws Exception {
        Set<Path> all = new TreeSet<>();
        while (!all.contains(file)) {
            all.addAll(changes.await());
        }
        return all;
    }

    @Test
    void filesInNewDirectoriesAreNoticed() throws Exception {
        Path root = Files.createDirectory(scratch.resolve("classes"));
        try (Changes changes = new Changes(List.of(root))) {
            Path one = Files.writeString(root.resolve("One.class"), "1");
            assertEquals(Set.of(one), changes.await());
            Path directory = Files.createDirectories(root.resolve("a/b"));
            changes.await();
            Path two = Files.writeString(directory.resolve("Two.class"), "2");
            awaitFile(changes, two);
            Files.delete(one);
            assertTrue(changes.await().contains(one));
        }
    }

    @Test
    void aDirectoryMayBeMissingAndComeBack() throws Exception {
        Path root = scratch.resolve("target/classes");
        try (Changes changes = new Changes(List.of(root))) {
            Files.createDirectories(root);
            assertTrue(changes.await().stream().allMatch(root::startsWith));
            Path file = Files.writeString(root.resolve("One.class"), "1");
            awaitFile(changes, file);
            Files.delete(file);
            awaitFile(changes, file);
            Files.delete(root);
            awaitFile(changes, root);
            Files.createDirectory(root);
            awaitFile(changes, root);
            Path again = Files.writeString(root.resolve("Two.class"), "2");
            awaitFile(changes, again);
        }
    }

    @Test
    void whatLiesBesideADirectoryDoesNotCount() throws Exception {
        Path root = Files.createDirectories(scratch.resolve("target/classes"));
        try (Changes changes = new Changes(List.of(root))) {
            Files.writeString(scratch.resolve("target/app.img"), "image");
            Path file = Files.writeString(root.resolve("One.class"), "1");
            assertEquals(Set.of(file), awaitFile(changes, file));
        }
    }

    @Test
    void theCloseEndsTheWaiting() throws Exception {
        Changes changes = new Changes(List.of(scratch));
        changes.close();
        assertEquals(Set.of(), changes.await());
    }
}
