// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What QEMU's dump-guest-memory writes: a segment for each block of memory, and a note with registers for each CPU. */
final class QemuDump extends MachineDump {

    private static final String CPU_NAME = "CORE";
    private static final int NT_PRSTATUS = 1;

    private final List<Elf.Segment> memory;

    private QemuDump(MappedFile file, List<Registers> processors, List<Elf.Segment> memory) {
        super(file, processors);
        this.memory = memory;
    }

    static QemuDump read(MappedFile file) throws IOException {
        List<Elf.Segment> memory = new ArrayList<>();
        List<Registers> processors = new ArrayList<>();
        for (Elf.Segment segment : Elf.segments(file)) {
            if (segment.type() == Elf.PT_LOAD) {
                memory.add(segment);
            } else if (segment.type() == Elf.PT_NOTE) {
                addProcessors(Elf.notes(file, segment.offset(), segment.fileSize()), processors);
            }
        }
        return new QemuDump(file, processors, memory);
    }

    private static void addProcessors(List<Elf.Note> notes, List<Registers> processors) {
        notes.stream()
                .filter(note -> note.name().equals(CPU_NAME) && note.type() == NT_PRSTATUS)
                .filter(note -> note.content().capacity() >= CoreNotes.STATUS_SIZE)
                .map(note -> Registers.ofStatus(note.content()))
                .forEach(processors::add);
    }

    @Override
    Optional<ByteBuffer> page(long frame) throws IOException {
        long address = frame * PAGE_SIZE;
        for (Elf.Segment segment : memory) {
            long within = address - segment.physical();
            if (within >= 0 && within <= segment.fileSize() - PAGE_SIZE) {
                return Optional.of(file().piece(segment.offset() + within, PAGE_SIZE));
            }
        }
        return Optional.empty();
    }

    @Override
    long frameOf(long tableFrame) {
        return tableFrame;
    }
}
