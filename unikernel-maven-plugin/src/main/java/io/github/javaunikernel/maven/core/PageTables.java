// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The page tables of the guest, of four levels (Intel SDM 3A 4.5; platform/x86/page_table.h of the kernel). */
final class PageTables {

    private static final int LEVELS = 4;
    private static final int INDEX_BITS = 9;
    private static final int PAGE_BITS = 12;
    private static final long PRESENT = 1;
    private static final long LARGE = 1 << 7;
    /** A translation without access: not present, and with its address inverted. */
    private static final long NO_ACCESS = 1 << 9;

    private static final long ADDRESS = 0x000F_FFFF_FFFF_F000L;
    private static final long ABSENT = -1;

    private final MachineDump dump;
    private final long root;

    /** What is done with each page that is there. */
    interface Visitor {
        void visit(long address, ByteBuffer page) throws IOException;
    }

    /** With the frame of the root. */
    PageTables(MachineDump dump, long root) {
        this.dump = dump;
        this.root = root;
    }

    /** The page that an address lies in, or null if there is none. */
    ByteBuffer page(long address) throws IOException {
        long table = root;
        for (int level = LEVELS; level > 1; level--) {
            long entry = entry(table, address, level);
            if ((entry & PRESENT) == 0) {
                return null;
            }
            if (isLarge(entry, level)) {
                return partOfLarge(entry, level, address);
            }
            table = frame(entry & ADDRESS, address);
        }
        return last(entry(table, address, 1), address);
    }

    /** Visits the pages of [start, end) that are there, in ascending order. */
    void visit(long start, long end, Visitor visitor) throws IOException {
        visit(root, LEVELS, start, end, visitor);
    }

    private void visit(long table, int level, long start, long end, Visitor visitor) throws IOException {
        long span = span(level);
        for (long at = start; at < end; at = Math.min(end, (at & -span) + span)) {
            long entry = entry(table, at, level);
            if (level == 1) {
                ByteBuffer page = last(entry, at);
                if (page != null) {
                    visitor.visit(at, page);
                }
            } else if (isLarge(entry, level)) {
                long last = Math.min(end, (at & -span) + span);
                for (long part = at; part < last; part += span(1)) {
                    visitor.visit(part, partOfLarge(entry, level, part));
                }
            } else if ((entry & PRESENT) != 0) {
                visit(frame(entry & ADDRESS, at), level - 1, at, Math.min(end, (at & -span) + span), visitor);
            }
        }
    }

    private static boolean isLarge(long entry, int level) {
        return level > 1 && level < LEVELS && (entry & PRESENT) != 0 && (entry & LARGE) != 0;
    }

    /** The page that an address lies in, of a large one. The tables of PV guests, with other frames, have none. */
    private ByteBuffer partOfLarge(long entry, int level, long address) throws IOException {
        long within = address & (span(level) - 1);
        return memory(((entry & ADDRESS & -span(level)) + within) >>> PAGE_BITS, address);
    }

    private ByteBuffer last(long entry, long address) throws IOException {
        if ((entry & (PRESENT | NO_ACCESS)) == 0) {
            return null;
        }
        long physical = ((entry & PRESENT) != 0 ? entry : ~entry) & ADDRESS;
        return memory(frame(physical, address), address);
    }

    private long entry(long table, long address, int level) throws IOException {
        long index = address >>> PAGE_BITS + INDEX_BITS * (level - 1) & (1 << INDEX_BITS) - 1;
        return memory(table, address).getLong((int) index * Long.BYTES);
    }

    /** Bytes that an entry of a table of this level covers. */
    private static long span(int level) {
        return 1L << PAGE_BITS + INDEX_BITS * (level - 1);
    }

    private long frame(long physical, long address) throws IOException {
        long frame = dump.frameOf(physical >>> PAGE_BITS);
        if (frame == ABSENT) {
            throw outside(physical >>> PAGE_BITS, address);
        }
        return frame;
    }

    private ByteBuffer memory(long frame, long address) throws IOException {
        return dump.page(frame).orElseThrow(() -> outside(frame, address));
    }

    private static DumpException outside(long frame, long address) {
        return DumpException.damaged(String.format(
                "its page tables lead from address %x to frame %x, which is not in the file", address, frame));
    }
}
