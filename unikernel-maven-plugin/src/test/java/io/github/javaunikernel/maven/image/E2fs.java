// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The reference implementation of ext2, as the judge of what the writer wrote. */
public final class E2fs {

    private E2fs() {}

    /** Fails with e2fsck's words unless it finds nothing at all to say. */
    public static void assertClean(Path image) throws Exception {
        Result result = run(tool("e2fsck"), "-f", "-n", image.toString());
        assertEquals(0, result.status, result.output);
    }

    /** Answer of one debugfs command, without its banner. */
    public static String debugfs(Path image, String command) throws Exception {
        return debugfs(image, command, List.of());
    }

    /** As {@link #debugfs(Path, String)}, but starting from the copy of the superblock in the given block. */
    public static String debugfsFromCopy(Path image, long superblock, String command) throws Exception {
        return debugfs(image, command, List.of("-s", Long.toString(superblock), "-b", "4096"));
    }

    /** The command goes by a file: as an argument it could only have the characters of the platform's locale. */
    private static String debugfs(Path image, String command, List<String> options) throws Exception {
        Path commands = Files.createTempFile("debugfs", null);
        try {
            Files.writeString(commands, command + "\n");
            List<String> words = new ArrayList<>(List.of(tool("debugfs")));
            words.addAll(options);
            words.addAll(List.of("-f", commands.toString(), image.toString()));
            Result result = run(words.toArray(String[]::new));
            assertEquals(0, result.status, result.output);
            return result.output
                    .lines()
                    .filter(line -> !line.startsWith("debugfs"))
                    .reduce("", (a, b) -> a + b + "\n");
        } finally {
            Files.delete(commands);
        }
    }

    /** Copies a file out of the image. */
    public static byte[] read(Path image, String path, Path scratch) throws Exception {
        Path copy = scratch.resolve("debugfs-dump");
        Files.deleteIfExists(copy);
        debugfs(image, "dump \"" + path + "\" " + copy);
        return Files.readAllBytes(copy);
    }

    private record Result(int status, String output) {}

    private static String tool(String name) {
        for (String directory : List.of("/usr/sbin", "/sbin", "/usr/bin")) {
            if (Files.isExecutable(Path.of(directory, name))) {
                return Path.of(directory, name).toString();
            }
        }
        throw new IllegalStateException(name + " is not installed. Run 'apt-get install e2fsprogs'.");
    }

    private static Result run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), output);
    }
}
