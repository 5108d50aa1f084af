// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What the kernel says of itself in its memory: addresses of variables, offsets of members and constants, by their
 * names (core/dump.h of the kernel). It is found by its magic, wherever the kernel has moved itself to.
 */
final class Description {

    /** In the kernel's image at a multiple of its length (core/dump.c). */
    static final byte[] MAGIC = "unikernel dump\r\n".getBytes(StandardCharsets.US_ASCII);

    static final int HEADER_SIZE = 48;
    static final int NAME_SIZE = 40;
    static final int VALUE_SIZE = NAME_SIZE + Long.BYTES;
    static final long VERSION = 1;
    /** The frames that the kernel's image may lie in (kernel.lds): it begins at 1 MiB and has at most 2 MiB. */
    static final long FIRST_FRAME = 0x100;

    static final long LAST_FRAME = 0x2FF;
    private static final int MAX_VALUES = 1000;

    private final Map<String, Long> values;
    /** What is added to a physical address of the image for its virtual one. */
    private final long base;

    private Description(Map<String, Long> values, long base) {
        this.values = values;
        this.base = base;
    }

    static Description find(MachineDump dump) throws IOException {
        for (long frame = FIRST_FRAME; frame <= LAST_FRAME; frame++) {
            Optional<ByteBuffer> page = dump.page(frame);
            for (int at = 0; page.isPresent() && at < MachineDump.PAGE_SIZE; at += MAGIC.length) {
                if (page.get().slice(at, MAGIC.length).equals(ByteBuffer.wrap(MAGIC))) {
                    return read(dump, frame * MachineDump.PAGE_SIZE + at);
                }
            }
        }
        throw new DumpException(dump.file().path() + " has no kernel that describes itself. Give the memory of a guest"
                + " whose image was built with this version of the plugin, or a later one.");
    }

    private static Description read(MachineDump dump, long physical) throws IOException {
        ByteBuffer header = physicalBytes(dump, physical, HEADER_SIZE);
        long version = header.getLong(16);
        if (version != VERSION) {
            throw new DumpException(dump.file().path() + " is of a kernel that describes itself in version " + version
                    + "; this plugin knows version " + VERSION
                    + ". Use the version of the plugin that the image was built with.");
        }
        long base = header.getLong(24) - physical;
        long start = header.getLong(32) - base;
        long count = (header.getLong(40) - header.getLong(32)) / VALUE_SIZE;
        if (count < 1 || count > MAX_VALUES || start >>> 12 < FIRST_FRAME || start >>> 12 > LAST_FRAME) {
            throw DumpException.damaged("what the kernel says of itself is not in its image");
        }
        ByteBuffer bytes = physicalBytes(dump, start, (int) count * VALUE_SIZE);
        Map<String, Long> values = new HashMap<>();
        for (int i = 0; i < count; i++) {
            byte[] name = new byte[NAME_SIZE];
            bytes.get(name);
            String text = new String(name, StandardCharsets.US_ASCII);
            values.put(text.substring(0, Math.max(text.indexOf('\0'), 0)), bytes.getLong());
        }
        Description found = new Description(values, base);
        if (found.value("kernel_base") != base) {
            throw DumpException.damaged("the kernel is not where it says it is");
        }
        return found;
    }

    private static ByteBuffer physicalBytes(MachineDump dump, long physical, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            long at = physical + bytes.position();
            int within = (int) (at & MachineDump.PAGE_SIZE - 1);
            ByteBuffer page = dump.page(at >>> 12)
                    .orElseThrow(() -> DumpException.damaged("a part of the kernel's image is missing"));
            bytes.put(page.slice(within, Math.min(bytes.remaining(), MachineDump.PAGE_SIZE - within)));
        }
        return bytes.flip();
    }

    /** An address, an offset or a constant. */
    long value(String name) throws DumpException {
        Long value = values.get(name);
        if (value == null) {
            throw DumpException.damaged("the kernel does not say " + name);
        }
        return value;
    }

    /** The same, where it is a small number. */
    int size(String name) throws DumpException {
        long value = value(name);
        if (value < 0 || value > 1 << 20) {
            throw DumpException.damaged("the kernel says " + value + " for " + name);
        }
        return (int) value;
    }

    /** The frame of the root of the page tables, which the kernel keeps in a variable of its image. */
    long rootFrame(MachineDump dump) throws IOException {
        long place = value("platform") + value("platform_information.page_tables") - base;
        return physicalBytes(dump, place, Long.BYTES).getLong() >>> 12;
    }
}
