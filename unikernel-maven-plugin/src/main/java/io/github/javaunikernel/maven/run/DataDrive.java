// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.boot.DataDisk;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * A data disk on this machine.
 *
 * @param file of the machine, with an ext2 file system
 */
public record DataDrive(Path file, boolean readOnly) {

    /**
     * The drives for an image. Disks that are missing are made, unless they are read-only.
     *
     * @param directory where their files are
     * @param searchPath the directories in which to look for mke2fs
     * @param log is told what has been made
     */
    public static List<DataDrive> prepare(List<DataDisk> disks, Path directory, String searchPath, Consumer<String> log)
            throws SettingException, IOException {
        List<DataDrive> drives = new ArrayList<>();
        for (DataDisk disk : disks) {
            Path file = DataDisk.file(directory, disk);
            if (!Files.exists(file)) {
                checkWritable(disk, file);
                make(disk, file, program("mke2fs", searchPath));
                log.accept("Made " + file + ", a disk of " + (disk.size() >> 20) + " MiB for " + disk.path());
            }
            drives.add(new DataDrive(file, disk.readOnly()));
        }
        return List.copyOf(drives);
    }

    private static void checkWritable(DataDisk disk, Path file) throws SettingException {
        if (disk.readOnly()) {
            throw new SettingException(
                    "dataDirectory",
                    "There is no " + file + " for the read-only directory " + disk.path() + ".",
                    "Make it, such as with 'mke2fs -t ext2 -L " + disk.label() + " -d DIRECTORY " + file
                            + " SIZE', or name the directory where it is.");
        }
    }

    /**
     * Copies a file from the top directory of the disk, which no machine uses meanwhile.
     *
     * @param target a path without quotation marks; nothing is there afterwards if the disk has no such file
     * @param searchPath the directories in which to look for debugfs
     */
    public void extract(String name, Path target, String searchPath) throws SettingException, IOException {
        String request = "dump " + name + " \"" + target.toAbsolutePath() + "\"";
        run(
                List.of(program("debugfs", searchPath).toString(), "-R", request, file.toString()),
                output -> "debugfs cannot read " + file + ": " + output + ". Train again.");
    }

    private static Path program(String name, String searchPath) throws SettingException {
        return Programs.installed(name, searchPath)
                .orElseThrow(() -> new SettingException(
                        "dataDisks",
                        "There is no " + name + " on this machine, which makes and reads data disks.",
                        HostFamily.current().e2fsprogs()));
    }

    /** It gets its name when it is complete. The file takes only as much room as is written. */
    private static void make(DataDisk disk, Path file, Path mke2fs) throws IOException {
        FileTrouble.on(file, () -> Files.createDirectories(file.getParent()));
        Path unfinished = file.resolveSibling(file.getFileName() + ".part");
        try {
            run(
                    List.of(
                            mke2fs.toString(),
                            "-q",
                            "-F",
                            "-t",
                            "ext2",
                            "-L",
                            disk.label(),
                            unfinished.toString(),
                            (disk.size() >> 10) + "k"),
                    output -> "mke2fs cannot make " + file + ": " + output
                            + ". Give the disk room, or another size in dataDisks.");
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    /** Runs a program to its end, and says of a failure what the function makes of the output. */
    private static void run(List<String> command, UnaryOperator<String> failure) throws IOException {
        Process process = start(command);
        try {
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new ExplainedException(failure.apply(output.strip()), null);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ExplainedException("The goal was interrupted while " + command.get(0) + " ran. Run it again.", e);
        } finally {
            process.destroyForcibly();
        }
    }

    private static Process start(List<String> command) throws IOException {
        try {
            return new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new ExplainedException(
                    command.get(0) + " cannot be run: " + FileTrouble.reason(e) + ". Remove it. "
                            + HostFamily.current().e2fsprogs(),
                    e);
        }
    }
}
