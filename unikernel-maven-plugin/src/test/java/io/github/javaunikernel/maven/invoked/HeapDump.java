// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.invoked;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Counts objects in a heap dump, of which the JDK has no reader since version 9: HPROF 1.0.2 with identifiers of eight
 * bytes, as heapDumper.cpp of the JDK describes it.
 */
public final class HeapDump {

    private static final int UTF8 = 0x01;
    private static final int LOAD_CLASS = 0x02;
    private static final int HEAP_DUMP = 0x0c;
    private static final int HEAP_DUMP_SEGMENT = 0x1c;
    private static final int CLASS_DUMP = 0x20;
    private static final int INSTANCE_DUMP = 0x21;
    private static final int OBJECT_ARRAY_DUMP = 0x22;
    private static final int PRIMITIVE_ARRAY_DUMP = 0x23;
    private static final int IDENTIFIER = 8;
    /** The bytes of each kind of root. */
    private static final Map<Integer, Integer> ROOTS =
            Map.of(0xff, 8, 0x01, 16, 0x02, 16, 0x03, 16, 0x04, 12, 0x05, 8, 0x06, 12, 0x07, 8, 0x08, 16);
    /** The bytes of a value of each type. */
    private static final Map<Integer, Integer> SIZES = Map.of(2, 8, 4, 1, 5, 2, 6, 4, 7, 8, 8, 1, 9, 2, 10, 4, 11, 8);

    private final MappedByteBuffer data;
    private final Map<Long, String> names = new HashMap<>();
    private final Map<String, Long> classes = new HashMap<>();
    private final Map<Long, Integer> counts = new HashMap<>();

    private HeapDump(MappedByteBuffer data) {
        this.data = data;
    }

    /**
     * How many objects of a class there are.
     *
     * @param file a dump of less than 2 GiB
     * @param name of the class, such as {@code it.Main$Marked}
     */
    public static int instances(Path file, String name) throws IOException {
        try (FileChannel channel = FileChannel.open(file)) {
            HeapDump dump = new HeapDump(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
            dump.read();
            return dump.counts.getOrDefault(dump.classes.get(name.replace('.', '/')), 0);
        }
    }

    private void read() {
        while (data.get() != 0) {
            // "JAVA PROFILE 1.0.2"
        }
        if (data.getInt() != IDENTIFIER) {
            throw new AssertionError("identifiers have not 8 bytes");
        }
        data.getLong();
        while (data.hasRemaining()) {
            int tag = data.get() & 0xff;
            data.getInt();
            int length = data.getInt();
            readRecord(tag, data.position() + length);
        }
    }

    private void readRecord(int tag, int end) {
        if (tag == UTF8) {
            long identifier = data.getLong();
            byte[] text = new byte[end - data.position()];
            data.get(text);
            names.put(identifier, new String(text, StandardCharsets.UTF_8));
        } else if (tag == LOAD_CLASS) {
            data.getInt();
            long identifier = data.getLong();
            data.getInt();
            classes.put(names.get(data.getLong()), identifier);
        } else if (tag == HEAP_DUMP || tag == HEAP_DUMP_SEGMENT) {
            while (data.position() < end) {
                readPart(data.get() & 0xff);
            }
        }
        data.position(end);
    }

    private void readPart(int kind) {
        switch (kind) {
            case CLASS_DUMP -> readClass();
            case INSTANCE_DUMP -> {
                skip(IDENTIFIER + 4);
                counts.merge(data.getLong(), 1, Integer::sum);
                skip(data.getInt());
            }
            case OBJECT_ARRAY_DUMP -> {
                skip(IDENTIFIER + 4);
                int length = data.getInt();
                skip(IDENTIFIER + length * IDENTIFIER);
            }
            case PRIMITIVE_ARRAY_DUMP -> {
                skip(IDENTIFIER + 4);
                int length = data.getInt();
                skip(length * SIZES.get((int) data.get()));
            }
            default -> skip(ROOTS.get(kind));
        }
    }

    /** Identifiers and sizes, then the constants, the static fields with their values, and the others. */
    private void readClass() {
        skip(IDENTIFIER + 4 + 6 * IDENTIFIER + 4);
        for (int left = data.getShort() & 0xffff; left > 0; left--) {
            skip(2);
            skip(SIZES.get((int) data.get()));
        }
        for (int left = data.getShort() & 0xffff; left > 0; left--) {
            skip(IDENTIFIER);
            skip(SIZES.get((int) data.get()));
        }
        int fields = data.getShort() & 0xffff;
        skip(fields * (IDENTIFIER + 1));
    }

    private void skip(int bytes) {
        data.position(data.position() + bytes);
    }
}
