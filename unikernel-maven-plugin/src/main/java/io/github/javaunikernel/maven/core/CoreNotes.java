// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The notes of a core file as Linux writes them for x86-64: linux/elfcore.h, sys/procfs.h, fs/binfmt_elf.c. */
final class CoreNotes {

    /** struct elf_prstatus, and of pr_reg in it. */
    static final int STATUS_SIZE = 336;

    static final int STATUS_REGISTERS = 112;

    private static final String NAME = "CORE";
    private static final int NT_PRSTATUS = 1;
    private static final int NT_FPREGSET = 2;
    private static final int NT_PRPSINFO = 3;
    private static final int NT_AUXV = 6;
    private static final int NT_FILE = 0x46494C45;
    private static final int STATUS_PID = 32;
    private static final int STATUS_HAS_FLOATING_POINT = 328;
    private static final int INFO_SIZE = 136;
    private static final int INFO_PID = 24;
    private static final int INFO_NAME = 40;
    private static final int INFO_NAME_SIZE = 16;
    private static final int INFO_ARGUMENTS = 56;
    private static final int INFO_ARGUMENTS_SIZE = 80;
    private static final int PAGE_SIZE = MachineDump.PAGE_SIZE;
    /** The number of the one program. */
    private static final int PROCESS = 1;

    private CoreNotes() {}

    /** All of them; debuggers select the first of the threads. */
    static byte[] of(List<GuestThread> threads, String executable, ByteBuffer auxiliaryVector, List<Area> areas) {
        ByteArrayOutputStream notes = new ByteArrayOutputStream();
        boolean first = true;
        for (GuestThread thread : threads) {
            add(notes, NT_PRSTATUS, status(thread));
            if (first) {
                add(notes, NT_PRPSINFO, information(executable));
                add(notes, NT_AUXV, auxiliaryVector);
                add(notes, NT_FILE, files(areas));
            }
            if (thread.floatingPoint().length > 0) {
                add(notes, NT_FPREGSET, ByteBuffer.wrap(thread.floatingPoint()));
            }
            first = false;
        }
        return notes.toByteArray();
    }

    private static void add(ByteArrayOutputStream notes, int type, ByteBuffer content) {
        notes.writeBytes(Elf.note(NAME, type, content).array());
    }

    private static ByteBuffer status(GuestThread thread) {
        ByteBuffer status = cleared(STATUS_SIZE);
        status.putInt(STATUS_PID, thread.id());
        status.putInt(STATUS_HAS_FLOATING_POINT, thread.floatingPoint().length > 0 ? 1 : 0);
        status.position(STATUS_REGISTERS);
        thread.user().orElseThrow().writeTo(status);
        return status.rewind();
    }

    private static ByteBuffer information(String executable) {
        ByteBuffer information = cleared(INFO_SIZE);
        information.putInt(INFO_PID, PROCESS);
        put(information, INFO_NAME, executable.substring(executable.lastIndexOf('/') + 1), INFO_NAME_SIZE);
        put(information, INFO_ARGUMENTS, executable, INFO_ARGUMENTS_SIZE);
        return information;
    }

    /** Text with a NUL at its end. */
    private static void put(ByteBuffer into, int at, String text, int room) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        into.put(at, bytes, 0, Math.min(bytes.length, room - 1));
    }

    private static ByteBuffer files(List<Area> areas) {
        List<Area> mapped = areas.stream().filter(area -> area.file() != null).toList();
        ByteArrayOutputStream names = new ByteArrayOutputStream();
        mapped.forEach(area -> names.writeBytes((area.file() + "\0").getBytes(StandardCharsets.UTF_8)));
        ByteBuffer files = cleared((2 + 3 * mapped.size()) * Long.BYTES + names.size());
        files.putLong(mapped.size()).putLong(PAGE_SIZE);
        for (Area area : mapped) {
            files.putLong(area.start()).putLong(area.end()).putLong(area.offset() / PAGE_SIZE);
        }
        return files.put(names.toByteArray()).rewind();
    }

    private static ByteBuffer cleared(int size) {
        return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }
}
