// SPDX-License-Identifier: Apache-2.0
package it;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** Adds a line to a file, as a database adds a transaction to its log, and says when it is stored. */
public class Main {

    private static final Path LOG = Path.of("/orders/log");

    public static void main(String[] arguments) throws Exception {
        List<String> before = Files.exists(LOG) ? Files.readAllLines(LOG) : List.of();
        System.out.println("found: " + before);
        store("start " + (before.size() + 1));
        System.out.println("stored");
        // Never stored: room for it is there, and it may be lost.
        try (RandomAccessFile file = new RandomAccessFile("/orders/unsaved", "rw")) {
            file.write(new byte[1 << 20]);
        }
        if (Files.exists(Path.of("/orders/wait"))) {
            System.out.println("waits");
            Thread.sleep(Long.MAX_VALUE);
        }
        if (before.size() == 1) {
            Files.createFile(Path.of("/orders/wait"));
        }
    }

    private static void store(String line) throws IOException {
        try (FileChannel log = FileChannel.open(LOG, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            log.write(StandardCharsets.UTF_8.encode(line + "\n"));
            log.force(true);
        }
    }
}
