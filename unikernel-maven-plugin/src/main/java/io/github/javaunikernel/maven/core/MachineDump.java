// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The memory of a machine, and the registers of its processors, in a file. Not thread-safe. */
abstract class MachineDump implements Closeable {

    static final int PAGE_SIZE = 4096;

    private final MappedFile file;
    private final List<Registers> processors;

    MachineDump(MappedFile file, List<Registers> processors) {
        this.file = file;
        this.processors = processors;
    }

    /** Opens what QEMU's dump-guest-memory or Xen's dump-core has written. */
    static MachineDump open(Path path) throws IOException {
        MappedFile file = new MappedFile(path);
        try {
            if (!Elf.isCore(file)) {
                throw new DumpException(path + " is not the memory of a machine: it is no ELF core file of x86-64."
                        + " Use a file that QEMU's dump-guest-memory wrote without -z and -p, or 'xl dump-core'.");
            }
            List<Elf.Section> sections = Elf.sections(file);
            boolean fromXen =
                    sections.stream().anyMatch(section -> section.name().equals(XenDump.PAGES));
            return fromXen ? XenDump.read(file, sections) : QemuDump.read(file);
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    /** A page of the guest's (pseudo-)physical memory; empty if the file has no such page. */
    abstract Optional<ByteBuffer> page(long frame) throws IOException;

    /** The frame of the guest that an entry of its page tables means. */
    abstract long frameOf(long tableFrame) throws IOException;

    final MappedFile file() {
        return file;
    }

    /** In the order of their numbers. */
    final List<Registers> processors() {
        return processors;
    }

    @Override
    public final void close() throws IOException {
        file.close();
    }
}
