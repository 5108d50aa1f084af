// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.LongFunction;

/**
 * Versions of symbols, such as {@code GLIBC_2.34} (Linux Standard Base, Core, "Symbol Versioning").
 *
 * @param needed by the name of the library that must have them; those that may be absent (weak) are left out
 * @param defined what a library has
 */
record SymbolVersions(Map<String, Set<String>> needed, Set<String> defined) {

    static final SymbolVersions NONE = new SymbolVersions(Map.of(), Set.of());

    private static final long DT_VERDEF = 0x6ffffffc;
    private static final long DT_VERDEFNUM = 0x6ffffffd;
    private static final long DT_VERNEED = 0x6ffffffe;
    private static final long DT_VERNEEDNUM = 0x6fffffff;
    private static final int WEAK = 2;
    private static final int NEED_SIZE = 16;
    private static final int DEFINITION_SIZE = 20;
    private static final int NAME_SIZE = 8;
    /** Indices of versions have 15 bits. */
    private static final int MOST = 1 << 15;

    /** The value of an entry of the dynamic section. */
    interface Entries {
        Optional<Long> value(long tag);
    }

    /** The bytes of the file at an address of its memory, little-endian. */
    interface Memory {
        ByteBuffer bytes(long address, int size) throws IOException;
    }

    /** Reads them from a file. */
    static SymbolVersions read(Entries entries, Memory memory, LongFunction<String> text) throws IOException {
        return new SymbolVersions(needed(entries, memory, text), defined(entries, memory, text));
    }

    private static Map<String, Set<String>> needed(Entries entries, Memory memory, LongFunction<String> text)
            throws IOException {
        Map<String, Set<String>> needed = new TreeMap<>();
        long at = entries.value(DT_VERNEED).orElse(0L);
        long count = at == 0 ? 0 : checked(entries.value(DT_VERNEEDNUM).orElse(0L));
        for (long i = 0; i < count; i++) {
            ByteBuffer need = memory.bytes(at, NEED_SIZE);
            Set<String> names = needed.computeIfAbsent(text.apply(unsigned(need, 4)), name -> new TreeSet<>());
            long nameAt = at + unsigned(need, 8);
            for (int n = Short.toUnsignedInt(need.getShort(2)); n > 0; n--) {
                ByteBuffer name = memory.bytes(nameAt, NEED_SIZE);
                if ((name.getShort(4) & WEAK) == 0) {
                    names.add(text.apply(unsigned(name, 8)));
                }
                nameAt += unsigned(name, 12);
            }
            at += unsigned(need, 12);
        }
        return needed;
    }

    /** The first name of each definition is its own; those that follow are of versions that it includes. */
    private static Set<String> defined(Entries entries, Memory memory, LongFunction<String> text) throws IOException {
        Set<String> defined = new HashSet<>();
        long at = entries.value(DT_VERDEF).orElse(0L);
        long count = at == 0 ? 0 : checked(entries.value(DT_VERDEFNUM).orElse(0L));
        for (long i = 0; i < count; i++) {
            ByteBuffer definition = memory.bytes(at, DEFINITION_SIZE);
            ByteBuffer name = memory.bytes(at + unsigned(definition, 12), NAME_SIZE);
            defined.add(text.apply(unsigned(name, 0)));
            at += unsigned(definition, 16);
        }
        return defined;
    }

    private static long checked(long count) {
        if (count < 0 || count > MOST) {
            throw new IllegalArgumentException("number of versions");
        }
        return count;
    }

    private static long unsigned(ByteBuffer bytes, int at) {
        return Integer.toUnsignedLong(bytes.getInt(at));
    }
}
