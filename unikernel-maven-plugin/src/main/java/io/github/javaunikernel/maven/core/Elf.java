// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The parts of 64-bit ELF files of x86-64 that dumps have (elf(5)); all of them are read little-endian. */
final class Elf {

    static final int MAGIC = 0x464C457F;
    static final int CORE = 4;
    static final int X86_64 = 62;
    static final int HEADER_SIZE = 64;
    static final int PROGRAM_HEADER_SIZE = 56;
    static final int SECTION_HEADER_SIZE = 64;
    static final int PT_LOAD = 1;
    static final int PT_NOTE = 4;
    /** As the number of program headers: the first section header has it. */
    private static final int PN_XNUM = 0xFFFF;

    /** A program header. */
    record Segment(int type, long offset, long physical, long fileSize) {}

    /** A section header; sections of a dump are known by their names. */
    record Section(String name, long offset, long size, long entrySize) {}

    /** A note without its name. */
    record Note(String name, int type, ByteBuffer content) {}

    private Elf() {}

    /** Whether the file begins as one of this processor does. */
    static boolean isElf(MappedFile file) throws IOException {
        if (file.size() < HEADER_SIZE) {
            return false;
        }
        ByteBuffer header = file.piece(0, HEADER_SIZE);
        boolean is64BitLittleEndian = header.get(4) == 2 && header.get(5) == 1;
        return header.getInt(0) == MAGIC && is64BitLittleEndian && header.getShort(18) == X86_64;
    }

    static boolean isCore(MappedFile file) throws IOException {
        return isElf(file) && file.piece(0, HEADER_SIZE).getShort(16) == CORE;
    }

    static List<Segment> segments(MappedFile file) throws IOException {
        ByteBuffer header = file.piece(0, HEADER_SIZE);
        long table = header.getLong(32);
        int count = header.getShort(56) & 0xFFFF;
        if (count == PN_XNUM) {
            count = file.piece(header.getLong(40), SECTION_HEADER_SIZE).getInt(44);
        }
        List<Segment> segments = new ArrayList<>();
        for (long i = 0; i < count; i++) {
            ByteBuffer segment = file.piece(table + i * PROGRAM_HEADER_SIZE, PROGRAM_HEADER_SIZE);
            segments.add(new Segment(segment.getInt(0), segment.getLong(8), segment.getLong(24), segment.getLong(32)));
        }
        return segments;
    }

    static List<Section> sections(MappedFile file) throws IOException {
        ByteBuffer header = file.piece(0, HEADER_SIZE);
        long table = header.getLong(40);
        int count = header.getShort(60) & 0xFFFF;
        int names = header.getShort(62) & 0xFFFF;
        if (count == 0) {
            return List.of();
        }
        long strings = file.piece(table + (long) names * SECTION_HEADER_SIZE, SECTION_HEADER_SIZE)
                .getLong(24);
        List<Section> sections = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ByteBuffer section = file.piece(table + (long) i * SECTION_HEADER_SIZE, SECTION_HEADER_SIZE);
            sections.add(new Section(
                    text(file, strings + Integer.toUnsignedLong(section.getInt(0))),
                    section.getLong(24),
                    section.getLong(32),
                    section.getLong(56)));
        }
        return sections;
    }

    /** The notes of a part of the file. */
    static List<Note> notes(MappedFile file, long offset, long size) throws IOException {
        List<Note> notes = new ArrayList<>();
        for (long at = offset; at - offset <= size - 12; ) {
            ByteBuffer header = file.piece(at, 12);
            int nameSize = header.getInt(0);
            int contentSize = header.getInt(4);
            long content = at + 12 + aligned(nameSize);
            if (nameSize < 0 || contentSize < 0 || content + contentSize > offset + size) {
                throw DumpException.damaged("a note of it is longer than all of them");
            }
            if (contentSize <= MappedFile.MAX_PIECE) {
                notes.add(new Note(text(file, at + 12), header.getInt(8), file.piece(content, contentSize)));
            }
            at = content + aligned(contentSize);
        }
        return notes;
    }

    /** A note as it stands in a file. */
    static ByteBuffer note(String name, int type, ByteBuffer content) {
        byte[] bytes = (name + "\0").getBytes(StandardCharsets.US_ASCII);
        ByteBuffer note = ByteBuffer.allocate((int) (12 + aligned(bytes.length) + aligned(content.remaining())))
                .order(ByteOrder.LITTLE_ENDIAN);
        note.putInt(bytes.length).putInt(content.remaining()).putInt(type).put(bytes);
        note.position((int) (12 + aligned(bytes.length)));
        note.put(content.duplicate());
        return note.rewind();
    }

    private static long aligned(int size) {
        return (size + 3L) / 4 * 4;
    }

    /** A short text that ends with a NUL. */
    private static String text(MappedFile file, long position) throws IOException {
        StringBuilder text = new StringBuilder();
        for (long at = position; text.length() < 64; at++) {
            byte next = file.piece(at, 1).get(0);
            if (next == 0) {
                break;
            }
            text.append((char) (next & 0x7F));
        }
        return text.toString();
    }
}
