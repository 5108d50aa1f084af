// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The memory of a machine with a kernel of other offsets than the real one has, in the form of QEMU or of Xen. In the
 * latter, page tables have frames of the machine.
 */
final class FakeMachine {

    static final long BASE = 0xFFFFFFFF90000000L;
    static final int PAGE = 4096;
    private static final long ROOT = 0x400;
    private static final long PRESENT = 1;
    private static final long LARGE = 1 << 7;
    private static final long NO_ACCESS = 1 << 9;
    private static final int HEADER = 0x100040 & -16;
    private static final int VALUES = HEADER + Description.HEADER_SIZE;
    private static final int MAX_VALUES = 80;

    private final boolean xen;
    private final TreeMap<Long, ByteBuffer> pages = new TreeMap<>();
    private final Map<String, Long> values = new LinkedHashMap<>();
    private long next = VALUES + (long) MAX_VALUES * Description.VALUE_SIZE;
    private long nextTable = ROOT + 1;
    long version = Description.VERSION;
    boolean described = true;
    Registers processor = new Registers(new long[Registers.COUNT]);

    FakeMachine(boolean xen) {
        this.xen = xen;
        page(ROOT);
        for (long frame = Description.FIRST_FRAME; frame < Description.FIRST_FRAME + 16; frame++) {
            map(BASE + frame * PAGE, frame);
        }
    }

    ByteBuffer page(long frame) {
        return pages.computeIfAbsent(frame, absent -> ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN));
    }

    void remove(long frame) {
        pages.remove(frame);
    }

    private long inTables(long frame) {
        return xen ? 0x70000 - frame : frame;
    }

    void map(long address, long frame) {
        page(frame);
        entry(address, 1, inTables(frame) << 12 | PRESENT);
    }

    /** 2 MiB by one entry. */
    void mapLarge(long address, long frame) {
        for (int i = 0; i < 512; i++) {
            page(frame + i);
        }
        entry(address, 2, frame << 12 | LARGE | PRESENT);
    }

    /** A page without any right of access, as the kernel enters it. */
    void mapHidden(long address, long frame) {
        page(frame);
        entry(address, 1, ~(inTables(frame) << 12) & 0x000FFFFFFFFFF000L | NO_ACCESS);
    }

    private void entry(long address, int lowest, long last) {
        long table = ROOT;
        for (int level = 4; level > lowest; level--) {
            ByteBuffer entries = page(table);
            int at = (int) (address >>> 12 + 9 * (level - 1) & 511) * 8;
            if (entries.getLong(at) == 0) {
                page(nextTable);
                entries.putLong(at, inTables(nextTable++) << 12 | PRESENT);
            }
            long machine = entries.getLong(at) >>> 12;
            table = xen ? 0x70000 - machine : machine;
        }
        page(table).putLong((int) (address >>> 12 + 9 * (lowest - 1) & 511) * 8, last);
    }

    /** The virtual address of so many bytes of the kernel. */
    long allocate(int size) {
        long at = next + 15 & -16;
        next = at + size;
        return BASE + at;
    }

    long text(String text) {
        long at = allocate(text.length() + 1);
        put(at, text);
        return at;
    }

    void put(long address, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        for (int i = 0; i < bytes.length; i++) {
            place(address + i).put(bytes[i]);
        }
    }

    void put(long address, long value) {
        place(address).putLong(value);
    }

    void putInt(long address, int value) {
        place(address).putInt(value);
    }

    long get(long address) {
        return place(address).getLong();
    }

    private ByteBuffer place(long address) {
        long physical = address - BASE;
        return page(physical / PAGE).duplicate().order(ByteOrder.LITTLE_ENDIAN).position((int) (physical % PAGE));
    }

    void value(String name, long value) {
        values.put(name, value);
    }

    private void describe() {
        long physical = BASE + HEADER;
        put(physical, new String(Description.MAGIC, StandardCharsets.US_ASCII));
        put(physical + 16, version);
        put(physical + 24, physical);
        put(physical + 32, BASE + VALUES);
        put(physical + 40, BASE + VALUES + (long) values.size() * Description.VALUE_SIZE);
        long at = BASE + VALUES;
        for (Map.Entry<String, Long> value : values.entrySet()) {
            for (int i = 0; i < Description.NAME_SIZE; i++) {
                place(at + i).put((byte) 0);
            }
            put(at, value.getKey());
            put(at + Description.NAME_SIZE, value.getValue());
            at += Description.VALUE_SIZE;
        }
    }

    /** The root of the page tables, for the variable that has it. */
    static long root() {
        return ROOT * PAGE;
    }

    Path write(Path file) throws IOException {
        if (described) {
            describe();
        }
        return Files.write(file, xen ? xenFile() : qemuFile());
    }

    private byte[] qemuFile() {
        ByteBuffer status = ByteBuffer.allocate(CoreNotes.STATUS_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        status.position(CoreNotes.STATUS_REGISTERS);
        processor.writeTo(status);
        byte[] notes = Elf.note("CORE", 1, status.rewind()).array();
        List<Map.Entry<Long, ByteBuffer>> all = new ArrayList<>(pages.entrySet());
        int at = Elf.HEADER_SIZE + (all.size() + 1) * Elf.PROGRAM_HEADER_SIZE;
        ByteBuffer head = ByteBuffer.allocate(at).order(ByteOrder.LITTLE_ENDIAN);
        head.put(header(all.size() + 1, 0, 0, 0)).position(Elf.HEADER_SIZE);
        segment(head, Elf.PT_NOTE, at, 0, notes.length);
        at += notes.length;
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        for (Map.Entry<Long, ByteBuffer> page : all) {
            segment(head, Elf.PT_LOAD, at, page.getKey() * PAGE, PAGE);
            at += PAGE;
        }
        file.writeBytes(head.array());
        file.writeBytes(notes);
        all.forEach(page -> file.writeBytes(page.getValue().array()));
        return file.toByteArray();
    }

    /** The pages are in descending order, as nothing says that they ascend. */
    private byte[] xenFile() {
        String names = "\0.shstrtab\0.xen_prstatus\0.xen_p2m\0.xen_pages\0";
        List<Map.Entry<Long, ByteBuffer>> all =
                new ArrayList<>(pages.descendingMap().entrySet());
        ByteBuffer context = ByteBuffer.allocate(5168).order(ByteOrder.LITTLE_ENDIAN);
        long[] registers = processor.values();
        for (int i = 0; i < 15; i++) {
            context.putLong(520 + 8 * i, registers[i]);
        }
        for (int i = 16; i < 21; i++) {
            context.putLong(520 + 8 * i, registers[i]);
        }
        ByteBuffer frames = ByteBuffer.allocate(all.size() * 16).order(ByteOrder.LITTLE_ENDIAN);
        all.forEach(page -> frames.putLong(page.getKey()).putLong(inTables(page.getKey())));
        int start = Elf.HEADER_SIZE + 5 * Elf.SECTION_HEADER_SIZE;
        int contexts = start + names.length();
        int list = contexts + context.capacity();
        int content = list + frames.capacity();
        ByteBuffer head = ByteBuffer.allocate(start).order(ByteOrder.LITTLE_ENDIAN);
        head.put(header(0, Elf.HEADER_SIZE, 5, 1)).position(Elf.HEADER_SIZE + Elf.SECTION_HEADER_SIZE);
        section(head, names.indexOf(".shstrtab"), start, names.length(), 0);
        section(head, names.indexOf(".xen_prstatus"), contexts, context.capacity(), context.capacity());
        section(head, names.indexOf(".xen_p2m"), list, frames.capacity(), 16);
        section(head, names.indexOf(".xen_pages"), content, (long) all.size() * PAGE, PAGE);
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        file.writeBytes(head.array());
        file.writeBytes(names.getBytes(StandardCharsets.US_ASCII));
        file.writeBytes(context.array());
        file.writeBytes(frames.array());
        all.forEach(page -> file.writeBytes(page.getValue().array()));
        return file.toByteArray();
    }

    private static byte[] header(int segments, int sectionTable, int sections, int names) {
        ByteBuffer header = ByteBuffer.allocate(Elf.HEADER_SIZE).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(Elf.MAGIC).put((byte) 2).put((byte) 1);
        header.putShort(16, (short) Elf.CORE).putShort(18, (short) Elf.X86_64);
        header.putLong(32, Elf.HEADER_SIZE).putLong(40, sectionTable);
        header.putShort(56, (short) segments).putShort(60, (short) sections).putShort(62, (short) names);
        return header.array();
    }

    private static void segment(ByteBuffer out, int type, long offset, long physical, long size) {
        out.putInt(type).putInt(0).putLong(offset).putLong(0).putLong(physical);
        out.putLong(size).putLong(size).putLong(0);
    }

    private static void section(ByteBuffer out, int name, long offset, long size, long entrySize) {
        out.putInt(name).putInt(1).putLong(0).putLong(0).putLong(offset).putLong(size);
        out.putInt(0).putInt(0).putLong(1).putLong(entrySize);
    }
}
