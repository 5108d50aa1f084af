// SPDX-License-Identifier: Apache-2.0
package example;

import java.nio.file.Files;
import java.nio.file.Path;
import net.openhft.chronicle.queue.ChronicleQueue;
import net.openhft.chronicle.queue.ExcerptAppender;
import net.openhft.chronicle.queue.ExcerptTailer;

/** A queue in mapped files, written by one thread and read by another. */
final class Journal {

    private Journal() {
    }

    static String append(int messages) throws Exception {
        Path directory = Files.createTempDirectory("chronicle");
        try (ChronicleQueue queue = ChronicleQueue.singleBuilder(directory).blockSize(1 << 20).build()) {
            Thread writer = new Thread(() -> {
                try (ExcerptAppender appender = queue.createAppender()) {
                    for (int i = 0; i < messages; i++) {
                        appender.writeText("message " + i);
                    }
                }
            });
            writer.start();
            int read = 0;
            String last = "";
            try (ExcerptTailer tailer = queue.createTailer()) {
                while (read < messages) {
                    String text = tailer.readText();
                    if (text == null) {
                        Thread.yield();
                        continue;
                    }
                    last = text;
                    read++;
                }
            }
            writer.join();
            return read + " messages, the last one " + last;
        }
    }
}
