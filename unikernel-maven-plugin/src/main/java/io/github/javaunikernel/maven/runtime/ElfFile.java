// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What a 64-bit x86 ELF file says about the files it needs (System V ABI, chapters 4 and 5; elf(5)). Offsets in the
 * file are never trusted: each is checked against its size.
 *
 * @param program whether it can be started, and is no library or object file
 * @param interpreter path of the dynamic linker, or null
 * @param needed names of the libraries it needs, in order
 * @param searchPath absolute directories that the linker searches for them first; those relative to the file are left
 *     out, since what lies there comes along with it
 * @param ownPath those that are relative to the file ($ORIGIN), as paths from its directory
 * @param versions of symbols that it needs and has
 * @param loadedSize bytes from the start of the file to the end of its last segment
 */
record ElfFile(
        boolean program,
        String interpreter,
        List<String> needed,
        List<String> searchPath,
        List<String> ownPath,
        SymbolVersions versions,
        long loadedSize) {

    private static final int MAGIC = 0x7F454C46;
    private static final int CLASS_64 = 2;
    private static final int LITTLE_ENDIAN = 1;
    private static final int MACHINE_X86_64 = 62;
    private static final int OS_SYSTEM_V = 0;
    private static final int OS_LINUX = 3;
    static final int HEADER_SIZE = 64;
    private static final int PROGRAM_HEADER_SIZE = 56;
    private static final int MAX_DYNAMIC_SIZE = 1 << 20;
    private static final int MAX_STRINGS_SIZE = 64 << 20;

    private static final int TYPE_EXECUTABLE = 2;
    private static final int TYPE_DYNAMIC = 3;
    private static final int PT_LOAD = 1;
    private static final int PT_DYNAMIC = 2;
    private static final int PT_INTERP = 3;
    private static final long DT_NEEDED = 1;
    private static final long DT_STRTAB = 5;
    private static final long DT_STRSZ = 10;
    private static final long DT_RPATH = 15;
    private static final long DT_RUNPATH = 29;
    private static final long DT_FLAGS_1 = 0x6ffffffb;
    private static final long DF_1_PIE = 0x08000000;
    /** The directory of the file, in search paths (ld.so(8)). */
    private static final Pattern ORIGIN = Pattern.compile("^(\\$ORIGIN|\\$\\{ORIGIN})(/|$)");

    private record Segment(int type, long offset, long address, long size) {}

    /** Reads a file; empty when it is no ELF file at all. */
    static Optional<ElfFile> read(Path file) throws IOException {
        try (FileChannel in = FileChannel.open(file)) {
            if (in.size() < HEADER_SIZE) {
                return Optional.empty();
            }
            ByteBuffer header = bytes(in, 0, HEADER_SIZE);
            if (header.order(ByteOrder.BIG_ENDIAN).getInt(0) != MAGIC) {
                return Optional.empty();
            }
            if (!isForThisMachine(header)) {
                throw new ExplainedException(file + " is an ELF file for another machine than x86-64. Replace it.");
            }
            return Optional.of(new Reader(in, segments(in, header)).read(header));
        } catch (EOFException | IllegalArgumentException | ArithmeticException e) {
            throw new ExplainedException(file + " is a damaged ELF file. Replace it.", e);
        }
    }

    /** Whether a file that starts with these bytes is an ELF file for 64-bit x86, of a System V or Linux system. */
    static boolean isUsable(byte[] start) {
        return start.length >= HEADER_SIZE
                && ByteBuffer.wrap(start).getInt(0) == MAGIC
                && isForThisMachine(ByteBuffer.wrap(start))
                && (start[7] == OS_SYSTEM_V || start[7] == OS_LINUX);
    }

    /** Whether a program needs no dynamic linker, and therefore opens no libraries. */
    boolean isStatic() {
        return program && interpreter == null && needed.isEmpty();
    }

    private static boolean isForThisMachine(ByteBuffer header) {
        header.order(ByteOrder.LITTLE_ENDIAN);
        return header.get(4) == CLASS_64 && header.get(5) == LITTLE_ENDIAN && header.getShort(18) == MACHINE_X86_64;
    }

    private static List<Segment> segments(FileChannel in, ByteBuffer header) throws IOException {
        int count = Short.toUnsignedInt(header.getShort(56));
        if (count > 0 && header.getShort(54) != PROGRAM_HEADER_SIZE) {
            throw new IllegalArgumentException("program header size");
        }
        ByteBuffer table = bytes(in, header.getLong(32), count * PROGRAM_HEADER_SIZE);
        List<Segment> segments = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int at = i * PROGRAM_HEADER_SIZE;
            segments.add(new Segment(
                    table.getInt(at), table.getLong(at + 8), table.getLong(at + 16), table.getLong(at + 32)));
        }
        return segments;
    }

    private static ByteBuffer bytes(FileChannel in, long offset, int size) throws IOException {
        if (offset < 0 || offset > in.size() - size) {
            throw new EOFException();
        }
        ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            if (in.read(bytes, offset + bytes.position()) < 0) {
                throw new EOFException();
            }
        }
        return bytes.flip();
    }

    /** Reads the segments of one open file. */
    private record Reader(FileChannel in, List<Segment> segments) {

        ElfFile read(ByteBuffer header) throws IOException {
            Optional<Segment> interpreter = segment(PT_INTERP);
            String path = interpreter.isPresent() ? text(content(interpreter.get(), 4096), 0) : null;
            Optional<Segment> dynamic = segment(PT_DYNAMIC);
            int type = header.getShort(16);
            if (dynamic.isEmpty()) {
                return new ElfFile(
                        type == TYPE_EXECUTABLE,
                        path,
                        List.of(),
                        List.of(),
                        List.of(),
                        SymbolVersions.NONE,
                        loadedSize());
            }
            ByteBuffer entries = content(dynamic.get(), MAX_DYNAMIC_SIZE);
            ByteBuffer strings = strings(entries);
            List<String> directories = new ArrayList<>();
            for (long tag : List.of(DT_RUNPATH, DT_RPATH)) {
                values(entries, tag, strings).forEach(value -> directories.addAll(List.of(value.split(":"))));
            }
            return new ElfFile(
                    type == TYPE_EXECUTABLE || type == TYPE_DYNAMIC && (path != null || isPie(entries)),
                    path,
                    values(entries, DT_NEEDED, strings),
                    directories.stream().filter(name -> name.startsWith("/")).toList(),
                    directories.stream()
                            .filter(name -> ORIGIN.matcher(name).find())
                            .map(name -> ORIGIN.matcher(name).replaceFirst(""))
                            .toList(),
                    SymbolVersions.read(
                            tag -> numbers(entries, tag).stream().findFirst(),
                            (address, size) -> bytes(in, offsetOf(address), size),
                            offset -> text(strings, offset)),
                    loadedSize());
        }

        /**
         * Linkers mark programs that can lie anywhere so; without an interpreter nothing else tells a library apart.
         */
        private static boolean isPie(ByteBuffer entries) {
            return numbers(entries, DT_FLAGS_1).stream().anyMatch(flags -> (flags & DF_1_PIE) != 0);
        }

        private Optional<Segment> segment(int type) {
            return segments.stream().filter(segment -> segment.type == type).findFirst();
        }

        private long loadedSize() throws IOException {
            long end = 0;
            for (Segment segment : segments) {
                end = Math.max(end, Math.addExact(segment.offset, segment.size));
            }
            if (end > in.size()) {
                throw new EOFException();
            }
            return end;
        }

        private ByteBuffer content(Segment segment, int limit) throws IOException {
            return bytes(in, segment.offset, checkedSize(segment.size, limit));
        }

        private ByteBuffer strings(ByteBuffer entries) throws IOException {
            Optional<Long> address = numbers(entries, DT_STRTAB).stream().findFirst();
            Optional<Long> size = numbers(entries, DT_STRSZ).stream().findFirst();
            if (address.isEmpty() || size.isEmpty()) {
                throw new IllegalArgumentException("no string table");
            }
            return bytes(in, offsetOf(address.get()), checkedSize(size.get(), MAX_STRINGS_SIZE));
        }

        private long offsetOf(long address) {
            for (Segment segment : segments) {
                if (segment.type == PT_LOAD && address >= segment.address && address - segment.address < segment.size) {
                    return segment.offset + (address - segment.address);
                }
            }
            throw new IllegalArgumentException("address outside of the file");
        }

        private static List<Long> numbers(ByteBuffer entries, long tag) {
            List<Long> found = new ArrayList<>();
            for (int at = 0; at + 16 <= entries.limit() && entries.getLong(at) != 0; at += 16) {
                if (entries.getLong(at) == tag) {
                    found.add(entries.getLong(at + 8));
                }
            }
            return found;
        }

        private static List<String> values(ByteBuffer entries, long tag, ByteBuffer strings) {
            List<String> values = new ArrayList<>();
            for (long offset : numbers(entries, tag)) {
                values.add(text(strings, offset));
            }
            return values;
        }

        private static String text(ByteBuffer bytes, long offset) {
            if (offset < 0 || offset >= bytes.limit()) {
                throw new IllegalArgumentException("string outside of its table");
            }
            int end = (int) offset;
            while (end < bytes.limit() && bytes.get(end) != 0) {
                end++;
            }
            return new String(bytes.array(), (int) offset, end - (int) offset, StandardCharsets.UTF_8);
        }

        private static int checkedSize(long size, int limit) {
            if (size < 0 || size > limit) {
                throw new IllegalArgumentException("size");
            }
            return (int) size;
        }
    }
}
