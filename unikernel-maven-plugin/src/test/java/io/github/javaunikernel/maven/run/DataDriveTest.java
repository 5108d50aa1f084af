// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.boot.DataDisk;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataDriveTest {

    /** Offset of the label in the superblock of ext2, which is at 1024. */
    private static final int LABEL = 1024 + 120;

    @TempDir
    private Path directory;

    private final List<String> log = new ArrayList<>();

    private List<DataDrive> prepare(String... disks) throws Exception {
        return DataDrive.prepare(DataDisk.parse(Arrays.asList(disks)), directory.resolve("data"), "", log::add);
    }

    @Test
    void makesWhatIsMissingAndKeepsWhatIsThere() throws Exception {
        Path file = directory.resolve("data/orders.img");
        assertEquals(List.of(new DataDrive(file, false)), prepare("orders /orders 8m"));
        assertEquals(8 << 20, Files.size(file));
        byte[] made = Files.readAllBytes(file);
        assertEquals("orders", new String(made, LABEL, 6, StandardCharsets.US_ASCII));
        assertEquals(List.of("Made " + file + ", a disk of 8 MiB for /orders"), log);
        made[4 << 20] = 1;
        Files.write(file, made);
        prepare("orders /orders 4g");
        assertEquals(1, Files.readAllBytes(file)[4 << 20]);
        assertEquals(1, log.size());
    }

    @Test
    void filesOfADiskCanBeCopiedFromIt() throws Exception {
        DataDrive drive = prepare("orders /orders 8m").get(0);
        Path source = Files.writeString(directory.resolve("source file"), "text");
        Process writing = new ProcessBuilder(
                        "/usr/sbin/debugfs",
                        "-w",
                        "-R",
                        "write \"" + source + "\" notes",
                        drive.file().toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertEquals(0, writing.waitFor());
        Path target = directory.resolve("target file");
        drive.extract("nothing", target, "");
        assertFalse(Files.exists(target));
        drive.extract("notes", target, "");
        assertEquals("text", Files.readString(target));
    }

    @Test
    void doesNotMakeWhatIsOnlyRead() {
        SettingException e = assertThrows(SettingException.class, () -> prepare("prices /prices read-only"));
        assertEquals("dataDirectory", e.parameter());
        assertTrue(e.getMessage().contains("mke2fs -t ext2 -L prices -d DIRECTORY"), e.getMessage());
        assertFalse(Files.exists(directory.resolve("data")));
    }

    @Test
    void leavesNothingOfADiskThatCannotBeMade() throws Exception {
        Files.createDirectories(directory.resolve("data/orders.img.part"));
        ExplainedException e = assertThrows(ExplainedException.class, () -> prepare("orders /orders 8m"));
        assertTrue(e.getMessage().endsWith("Give the disk room, or another size in dataDisks."), e.getMessage());
        assertEquals(0, directory.resolve("data").toFile().list().length);
    }
}
