// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

/**
 * A range of the program's memory.
 *
 * @param protection 1: read, 2: write, 4: execute
 * @param file that is mapped, as a path of the guest, or null
 * @param offset of the start in that file
 */
record Area(long start, long end, int protection, String file, long offset) {

    private static final int READ = 1;
    private static final int WRITE = 2;
    private static final int EXECUTE = 4;

    /** The flags of a program header: elf(5), PF_X, PF_W and PF_R. */
    int elfFlags() {
        return ((protection & READ) != 0 ? 4 : 0)
                | ((protection & WRITE) != 0 ? 2 : 0)
                | ((protection & EXECUTE) != 0 ? 1 : 0);
    }

    boolean isAccessible() {
        return protection != 0;
    }

    long size() {
        return end - start;
    }
}
