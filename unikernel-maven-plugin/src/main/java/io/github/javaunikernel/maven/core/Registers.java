// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Registers in the order of struct user_regs_struct (sys/user.h), in which core files have them.
 *
 * @param values of all of them
 */
record Registers(long... values) {

    static final int COUNT = 27;
    static final int SIZE = COUNT * Long.BYTES;

    private static final int RBP = 4;
    private static final int ORIG_RAX = 15;
    private static final int RIP = 16;
    private static final int CS = 17;
    private static final int RFLAGS = 18;
    private static final int RSP = 19;
    private static final int SS = 20;
    private static final int FS_BASE = 21;
    /** Those that r15 to rdi take. */
    private static final int GENERAL = 15;
    /** Of code and data in 64-bit user mode, as Linux has them and debuggers expect them. */
    private static final int USER_CODE = 0x33;

    private static final int USER_DATA = 0x2B;

    /** From a note NT_PRSTATUS, struct elf_prstatus (sys/procfs.h). */
    static Registers ofStatus(ByteBuffer status) {
        long[] values = new long[COUNT];
        for (int i = 0; i < COUNT; i++) {
            values[i] = status.getLong(CoreNotes.STATUS_REGISTERS + i * Long.BYTES);
        }
        return new Registers(values);
    }

    /** From struct cpu_user_regs of Xen (xen/arch-x86/xen-x86_64.h). */
    static Registers ofXen(ByteBuffer context) {
        return ofFrame(context, 1, 0xFFFF);
    }

    /** From struct registers of the kernel (platform/platform.h), as a system call or trap left them. */
    static Registers ofKernel(ByteBuffer frame) {
        return ofFrame(frame, 2, -1);
    }

    /** Both have the general ones first, then words of their own, then what the processor pushes. */
    private static Registers ofFrame(ByteBuffer frame, int own, long selectors) {
        long[] values = new long[COUNT];
        for (int i = 0; i < GENERAL; i++) {
            values[i] = frame.getLong(i * Long.BYTES);
        }
        values[ORIG_RAX] = selectors == -1 ? frame.getLong(GENERAL * Long.BYTES) : -1;
        int pushed = (GENERAL + own) * Long.BYTES;
        values[RIP] = frame.getLong(pushed);
        values[CS] = frame.getLong(pushed + 8) & selectors;
        values[RFLAGS] = frame.getLong(pushed + 16);
        values[RSP] = frame.getLong(pushed + 24);
        values[SS] = frame.getLong(pushed + 32) & selectors;
        return new Registers(values);
    }

    /** Those of a thread of the program, as a debugger on Linux would find them. */
    Registers ofThread(long fsBase) {
        long[] values = this.values.clone();
        values[CS] = USER_CODE;
        values[SS] = USER_DATA;
        values[FS_BASE] = fsBase;
        return new Registers(values);
    }

    long instruction() {
        return values[RIP];
    }

    long stack() {
        return values[RSP];
    }

    /** What functions with a frame pointer keep their frame's address in. */
    long frame() {
        return values[RBP];
    }

    void writeTo(ByteBuffer out) {
        for (long value : values) {
            out.putLong(value);
        }
    }

    /** The bytes of all of them. */
    ByteBuffer bytes() {
        ByteBuffer bytes = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
        writeTo(bytes);
        return bytes.flip();
    }
}
