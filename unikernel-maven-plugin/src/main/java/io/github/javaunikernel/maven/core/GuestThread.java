// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import java.util.List;
import java.util.Optional;

/**
 * A thread of the kernel or of the program.
 *
 * @param id its number, for threads of the program
 * @param state as the scheduler calls it
 * @param cpu that it runs on, or -1
 * @param cpuTime in nanoseconds, up to the last switch
 * @param user the registers of the program, empty for threads of the kernel
 * @param floatingPoint the state in the form of FXSAVE, for threads of the program
 * @param stack return addresses in the kernel, innermost first; empty while the program runs
 */
record GuestThread(
        int id,
        String name,
        String state,
        int cpu,
        long cpuTime,
        Optional<Registers> user,
        byte[] floatingPoint,
        List<Long> stack) {}
