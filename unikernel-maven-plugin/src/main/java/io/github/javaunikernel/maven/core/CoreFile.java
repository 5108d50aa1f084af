// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes the program of a guest as a core file, as Linux writes one, but with all of its memory: pages that were not
 * read in yet are those of the files. What is neither stays a hole.
 */
final class CoreFile {

    private static final int PAGE_SIZE = MachineDump.PAGE_SIZE;
    /** A page may be mapped more than once, but not by so many as a damaged table can make it. */
    private static final int MOST_MAPPINGS = 16;

    private final GuestState guest;
    private final Path files;
    private final FileChannel out;
    private long pagesLeft;

    private CoreFile(GuestState guest, Path files, FileChannel out) {
        this.guest = guest;
        this.files = files;
        this.out = out;
        pagesLeft = (guest.fileSize() / PAGE_SIZE + 1) * MOST_MAPPINGS;
    }

    /**
     * Writes it.
     *
     * @param files directory with the files of the guest that are mapped, by their paths in the guest
     */
    static void write(GuestState guest, Path files, Path core) throws IOException {
        List<GuestThread> threads = programThreads(guest);
        if (threads.isEmpty()) {
            throw new DumpException("No thread of a program is in the dump: the guest had not started its program, or"
                    + " had ended it. See the report about the kernel.");
        }
        try (FileChannel out = FileChannel.open(
                core, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            new CoreFile(guest, files, out).write(threads, guest.areas());
        }
    }

    /** The one that ended the program is on a CPU, if any is, and comes first. */
    private static List<GuestThread> programThreads(GuestState guest) throws IOException {
        List<GuestThread> threads = new ArrayList<>();
        for (GuestThread thread : guest.threads()) {
            if (thread.user().isPresent()) {
                threads.add(thread.cpu() >= 0 ? 0 : threads.size(), thread);
            }
        }
        return threads;
    }

    private void write(List<GuestThread> threads, List<Area> areas) throws IOException {
        byte[] notes = CoreNotes.of(threads, guest.executable(), guest.auxiliaryVector(), areas);
        long notesAt = Elf.HEADER_SIZE + (long) Elf.PROGRAM_HEADER_SIZE * (areas.size() + 1);
        ByteBuffer headers = ByteBuffer.allocate((int) notesAt).order(ByteOrder.LITTLE_ENDIAN);
        putHeader(headers, areas.size() + 1);
        putSegment(headers, Elf.PT_NOTE, 0, notesAt, 0, notes.length, 0, 4);
        long at = aligned(notesAt + notes.length);
        long end = at;
        for (Area area : areas) {
            long size = area.isAccessible() ? area.size() : 0;
            putSegment(headers, Elf.PT_LOAD, area.elfFlags(), end, area.start(), size, area.size(), PAGE_SIZE);
            end += size;
        }
        put(headers.flip(), 0);
        put(ByteBuffer.wrap(notes), notesAt);
        for (Area area : areas) {
            if (area.isAccessible()) {
                putMemory(area, at);
                at += area.size();
            }
        }
        if (out.size() < end) {
            put(ByteBuffer.allocate(1), end - 1);
        }
    }

    private static void putHeader(ByteBuffer out, int segments) {
        out.putInt(Elf.MAGIC).put((byte) 2).put((byte) 1).put((byte) 1).position(16);
        out.putShort((short) Elf.CORE).putShort((short) Elf.X86_64).putInt(1);
        out.putLong(0).putLong(Elf.HEADER_SIZE).putLong(0).putInt(0);
        out.putShort((short) Elf.HEADER_SIZE).putShort((short) Elf.PROGRAM_HEADER_SIZE);
        out.putShort((short) segments).putShort((short) 0).putInt(0);
    }

    private static void putSegment(
            ByteBuffer out, int type, int flags, long offset, long address, long fileSize, long size, long alignment) {
        out.putInt(type).putInt(flags).putLong(offset).putLong(address).putLong(0);
        out.putLong(fileSize).putLong(size).putLong(alignment);
    }

    /** What the files have comes first, and the pages that are in memory over it. */
    private void putMemory(Area area, long position) throws IOException {
        Path file = area.file() == null ? null : files.resolve(area.file().substring(1));
        if (file != null && Files.isRegularFile(file)) {
            try (FileChannel in = FileChannel.open(file)) {
                long length = Math.min(area.size(), in.size() - area.offset());
                for (long done = 0; done < length; ) {
                    out.position(position + done);
                    done += in.transferTo(area.offset() + done, length - done, out);
                }
            }
        }
        guest.tables().visit(area.start(), area.end(), (address, page) -> {
            if (pagesLeft-- == 0) {
                throw DumpException.damaged("its page tables map more memory than it has");
            }
            put(page.duplicate(), position + address - area.start());
        });
    }

    private void put(ByteBuffer bytes, long position) throws IOException {
        for (long at = position; bytes.hasRemaining(); ) {
            at += out.write(bytes, at);
        }
    }

    private static long aligned(long position) {
        return (position + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
    }
}
