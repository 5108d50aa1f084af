// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The names of the kernel's functions, which it has in its memory for backtraces (platform/x86/symbols.c). */
final class Symbols {

    private static final int ENTRY_SIZE = 8;
    private static final int MAX_SIZE = 1 << 21;
    private static final int MAX_NAME = 200;

    private final KernelMemory memory;
    private final long base;
    private final long names;
    private final ByteBuffer table;

    Symbols(KernelMemory memory, Description description) throws IOException {
        this.memory = memory;
        base = description.value("kernel_base");
        names = description.value("symbol_names");
        long start = description.value("symbol_table");
        long size = description.value("symbol_table_end") - start;
        if (size < 0 || size > MAX_SIZE) {
            throw DumpException.damaged("the kernel's table of symbols has an impossible size");
        }
        table = memory.bytes(start, (int) size / ENTRY_SIZE * ENTRY_SIZE);
    }

    /** The same for a return address: a call may be the last instruction of its function. */
    String describeCaller(long address) throws IOException {
        return describe(address, address - 1);
    }

    /** An address of code with the function that it lies in, if that is known. */
    String describe(long address) throws IOException {
        return describe(address, address);
    }

    private String describe(long address, long within) throws IOException {
        int low = 0;
        int high = table.capacity() / ENTRY_SIZE;
        long wanted = within - base;
        if (high == 0 || wanted < offset(0) || wanted > Integer.MAX_VALUE) {
            return String.format("%016x ?", address);
        }
        while (high - low > 1) {
            int middle = (low + high) / 2;
            if (offset(middle) <= wanted) {
                low = middle;
            } else {
                high = middle;
            }
        }
        String name = memory.text(names + Integer.toUnsignedLong(table.getInt(low * ENTRY_SIZE + 4)), MAX_NAME);
        return String.format("%016x %s+%x", address, name, address - base - offset(low));
    }

    private long offset(int index) {
        return Integer.toUnsignedLong(table.getInt(index * ENTRY_SIZE));
    }
}
