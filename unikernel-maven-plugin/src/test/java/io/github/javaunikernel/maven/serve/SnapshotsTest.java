// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.run.MachineIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotsTest {

    private static final MachineIdentity MACHINE = new MachineIdentity("i", "k", "QEMU 7", "q35", "emulated");

    @TempDir
    private Path scratch;

    private final List<String> log = new ArrayList<>();

    private Path directory() {
        return scratch.resolve("hello.snapshot");
    }

    private Snapshots taken() throws IOException {
        Snapshots snapshots = new Snapshots(directory(), log::add);
        snapshots.take(MACHINE, file -> Files.write(file, new byte[3 << 20]));
        return snapshots;
    }

    private void assertNotUsed(Snapshots snapshots, MachineIdentity machine, String why) throws IOException {
        log.clear();
        assertEquals(Optional.empty(), snapshots.fitting(machine));
        assertEquals(
                List.of("The snapshot in " + directory() + " is not used, since " + why + "; the start is a cold one"),
                log);
        assertFalse(Files.exists(directory()));
    }

    @Test
    void oneThatFitsIsFoundAndOnlyTheUserCanReadIt() throws Exception {
        assertEquals(Optional.empty(), new Snapshots(directory(), log::add).fitting(MACHINE));
        Path memory = taken().fitting(MACHINE).orElseThrow();
        assertEquals(3 << 20, Files.size(memory));
        assertEquals(List.of("Later starts are restored from " + directory() + " (3 MiB)"), log);
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(memory)));
        assertEquals(
                "rw-------",
                PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(directory().resolve("machine.json"))));
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory())));
    }

    @Test
    void oneOfSomethingElseIsNotUsed() throws Exception {
        assertNotUsed(taken(), new MachineIdentity("other", "k", "QEMU 7", "q35", "emulated"), "the image has changed");
        assertNotUsed(taken(), new MachineIdentity("i", "other", "QEMU 7", "q35", "emulated"), "the image has changed");
        assertNotUsed(taken(), new MachineIdentity("i", "k", "QEMU 8", "q35", "emulated"), "it was taken with QEMU 7");
        assertNotUsed(
                taken(), new MachineIdentity("i", "k", "QEMU 7", "pc", "emulated"), "it was taken of another machine");
        assertNotUsed(
                taken(), new MachineIdentity("i", "k", "QEMU 7", "q35", "p"), "it was taken on another processor");
    }

    @Test
    void aDamagedOneIsNotUsed() throws Exception {
        Snapshots snapshots = taken();
        Files.write(directory().resolve("memory"), new byte[5]);
        assertNotUsed(snapshots, MACHINE, "it is damaged");
        snapshots = taken();
        Files.writeString(directory().resolve("machine.json"), "{\"machine\":");
        assertNotUsed(snapshots, MACHINE, "it is damaged");
        snapshots = taken();
        Files.writeString(directory().resolve("machine.json"), "");
        assertNotUsed(snapshots, MACHINE, "it is damaged");
    }

    /** The guest's clock would go back, and what it discards by its age would not be discarded. */
    @Test
    void oneOfTheFutureIsNotUsed() throws Exception {
        Snapshots snapshots = taken();
        Path description = directory().resolve("machine.json");
        String text = Files.readString(description);
        Instant later = Instant.now().plusSeconds(3600);
        Files.writeString(description, text.replaceFirst("(\"taken\": \")[^\"]*", "$1" + later));
        assertNotUsed(snapshots, MACHINE, "it was taken later than now, by this machine's clock");
    }

    @Test
    void nothingIsLeftOfOneThatFails() throws Exception {
        Snapshots snapshots = taken();
        IOException failure = assertThrows(
                IOException.class,
                () -> snapshots.take(MACHINE, file -> {
                    Files.write(file, new byte[1 << 20]);
                    throw new IOException("the machine is gone");
                }));
        assertEquals(scratch.resolve("hello.snapshot.part/memory") + ": the machine is gone", failure.getMessage());
        try (var files = Files.list(scratch)) {
            assertEquals(List.of(directory()), files.toList());
        }
        assertTrue(snapshots.fitting(MACHINE).isPresent(), "the one before is still there");
    }

    /** Of a Maven that was killed meanwhile. */
    @Test
    void anUnfinishedOneIsNotUsedAndMakesRoom() throws Exception {
        Path unfinished = Files.createDirectory(scratch.resolve("hello.snapshot.part"));
        Files.write(unfinished.resolve("memory"), new byte[5]);
        assertEquals(Optional.empty(), new Snapshots(directory(), log::add).fitting(MACHINE));
        assertTrue(taken().fitting(MACHINE).isPresent());
        assertFalse(Files.exists(unfinished));
    }
}
