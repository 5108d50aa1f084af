// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Reads by virtual addresses. */
final class KernelMemory {

    private static final int PAGE_SIZE = MachineDump.PAGE_SIZE;

    private final PageTables tables;

    KernelMemory(PageTables tables) {
        this.tables = tables;
    }

    /** Bytes, little-endian. */
    ByteBuffer bytes(long address, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            long at = address + bytes.position();
            int within = (int) (at & PAGE_SIZE - 1);
            bytes.put(page(at).slice(within, Math.min(bytes.remaining(), PAGE_SIZE - within)));
        }
        return bytes.flip();
    }

    long word(long address) throws IOException {
        return bytes(address, Long.BYTES).getLong();
    }

    int number(long address) throws IOException {
        return bytes(address, Integer.BYTES).getInt();
    }

    /** Text that ends with a NUL, or after {@code limit} bytes. */
    String text(long address, int limit) throws IOException {
        byte[] text = new byte[limit];
        int length = 0;
        for (ByteBuffer page = null; length < limit; length++) {
            long at = address + length;
            int within = (int) (at & PAGE_SIZE - 1);
            page = page == null || within == 0 ? page(at) : page;
            text[length] = page.get(within);
            if (text[length] == 0) {
                break;
            }
        }
        return new String(text, 0, length, StandardCharsets.UTF_8);
    }

    private ByteBuffer page(long address) throws IOException {
        ByteBuffer page = tables.page(address);
        if (page == null) {
            throw DumpException.damaged(
                    String.format("the kernel refers to address %x, where there is no memory", address));
        }
        return page;
    }
}
