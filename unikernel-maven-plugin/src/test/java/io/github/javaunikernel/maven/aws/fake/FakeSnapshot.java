// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/** A snapshot: its own blocks on top of its parent's. */
public final class FakeSnapshot {
    static final int BLOCK = 524_288;
    public final String id;
    public final long volumeGiB;
    public final FakeSnapshot parent;
    public final String description;
    public final Map<String, String> tags;
    public final boolean encrypted;
    public final String kmsKeyArn;
    public final ConcurrentSkipListMap<Integer, byte[]> blocks = new ConcurrentSkipListMap<>();
    final Instant started = Instant.now();
    volatile String state = "pending";
    volatile boolean completing;
    /** Looks until a completing snapshot is completed. */
    volatile int looksLeft = 2;

    FakeSnapshot(
            String id,
            long volumeGiB,
            FakeSnapshot parent,
            String description,
            Map<String, String> tags,
            boolean encrypted,
            String kmsKeyArn) {
        this.id = id;
        this.volumeGiB = volumeGiB;
        this.parent = parent;
        this.description = description;
        this.tags = tags;
        this.encrypted = encrypted;
        this.kmsKeyArn = kmsKeyArn;
    }

    public String state() {
        return state;
    }

    void write(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE,
                StandardOpenOption.SPARSE)) {
            channel.write(ByteBuffer.allocate(1), (volumeGiB << 30) - 1);
            writeBlocks(channel);
        }
    }

    private void writeBlocks(FileChannel channel) throws IOException {
        if (parent != null) {
            parent.writeBlocks(channel);
        }
        for (Map.Entry<Integer, byte[]> block : blocks.entrySet()) {
            ByteBuffer data = ByteBuffer.wrap(block.getValue());
            while (data.hasRemaining()) {
                channel.write(data, (long) block.getKey() * BLOCK + data.position());
            }
        }
    }
}
