// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * What {@code xl dump-core} writes (docs/misc/dump-core-format.txt of Xen): pages in no order, and a table that says
 * which ones they are. Page tables of a PV guest name pages by the machine's frames, which that table has as well.
 */
final class XenDump extends MachineDump {

    static final String PAGES = ".xen_pages";
    private static final String FRAMES = ".xen_p2m";
    private static final String FRAMES_OF_TRANSLATED = ".xen_pfn";
    private static final String PROCESSORS = ".xen_prstatus";
    /** Of user_regs in struct vcpu_guest_context (xen/arch-x86/xen.h). */
    private static final int CONTEXT_REGISTERS = 520;

    private static final int MAX_PAGES = 1 << 30;
    /** Entries that are read at a time: of 8 or 16 bytes. */
    private static final int BATCH = MappedFile.MAX_PIECE / 16;

    private final long pages;
    /** Frames in ascending order; in the upper half of a word, with the number of the page in the lower one. */
    private final long[] byFrame;
    /** The same for the machine's frames, or null where page tables have the guest's. */
    private final long[] byMachineFrame;
    /** The guest's frame of each page. */
    private final int[] frames;

    private XenDump(
            MappedFile file,
            List<Registers> processors,
            long pages,
            long[] byFrame,
            long[] byMachineFrame,
            int[] frames) {
        super(file, processors);
        this.pages = pages;
        this.byFrame = byFrame;
        this.byMachineFrame = byMachineFrame;
        this.frames = frames;
    }

    static XenDump read(MappedFile file, List<Elf.Section> sections) throws IOException {
        Elf.Section pages = section(sections, PAGES).orElseThrow();
        Optional<Elf.Section> both = section(sections, FRAMES);
        Elf.Section table = both.or(() -> section(sections, FRAMES_OF_TRANSLATED))
                .orElseThrow(() -> DumpException.damaged("it does not say which pages it has"));
        int entrySize = both.isPresent() ? 2 * Long.BYTES : Long.BYTES;
        long count = table.size() / entrySize;
        if (count > MAX_PAGES || count * PAGE_SIZE > pages.size() || pages.size() > file.size() - pages.offset()) {
            throw DumpException.damaged("it has fewer pages than it lists");
        }
        long[] byFrame = new long[(int) count];
        long[] byMachineFrame = both.isPresent() ? new long[(int) count] : null;
        int[] frames = new int[(int) count];
        for (int first = 0; first < count; first += BATCH) {
            int batch = (int) Math.min(BATCH, count - first);
            ByteBuffer entries = file.piece(table.offset() + (long) first * entrySize, batch * entrySize);
            for (int i = first; i < first + batch; i++) {
                long frame = entries.getLong();
                frames[i] = (int) frame;
                byFrame[i] = frame << Integer.SIZE | i;
                if (byMachineFrame != null) {
                    byMachineFrame[i] = entries.getLong() << Integer.SIZE | i;
                }
            }
        }
        Arrays.sort(byFrame);
        if (byMachineFrame != null) {
            Arrays.sort(byMachineFrame);
        }
        return new XenDump(file, processors(file, sections), pages.offset(), byFrame, byMachineFrame, frames);
    }

    private static List<Registers> processors(MappedFile file, List<Elf.Section> sections) throws IOException {
        List<Registers> processors = new ArrayList<>();
        Optional<Elf.Section> contexts = section(sections, PROCESSORS);
        if (contexts.isEmpty() || contexts.get().entrySize() < CONTEXT_REGISTERS + Registers.SIZE) {
            return processors;
        }
        Elf.Section table = contexts.get();
        for (long at = 0; at <= table.size() - table.entrySize(); at += table.entrySize()) {
            processors.add(Registers.ofXen(file.piece(table.offset() + at + CONTEXT_REGISTERS, Registers.SIZE)));
        }
        return processors;
    }

    private static Optional<Elf.Section> section(List<Elf.Section> sections, String name) {
        return sections.stream().filter(section -> section.name().equals(name)).findFirst();
    }

    @Override
    Optional<ByteBuffer> page(long frame) throws IOException {
        int index = find(byFrame, frame);
        return index < 0 ? Optional.empty() : Optional.of(file().piece(pages + (long) index * PAGE_SIZE, PAGE_SIZE));
    }

    @Override
    long frameOf(long tableFrame) {
        if (byMachineFrame == null) {
            return tableFrame;
        }
        int index = find(byMachineFrame, tableFrame);
        return index < 0 ? -1 : Integer.toUnsignedLong(frames[index]);
    }

    private static int find(long[] sorted, long frame) {
        if (frame < 0 || frame > Integer.MAX_VALUE) {
            return -1;
        }
        int found = Arrays.binarySearch(sorted, frame << Integer.SIZE);
        int at = found < 0 ? -found - 1 : found;
        return at < sorted.length && sorted[at] >>> Integer.SIZE == frame ? (int) sorted[at] : -1;
    }
}
