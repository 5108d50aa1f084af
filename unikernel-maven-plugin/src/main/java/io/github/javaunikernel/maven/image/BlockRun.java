// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

/**
 * Consecutive blocks of a file that are stored; what lies between two runs is a hole.
 *
 * @param first index of the first block in the file
 * @param count how many blocks, at least one
 */
record BlockRun(long first, long count) {
    long end() {
        return first + count;
    }
}
