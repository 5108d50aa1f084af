// SPDX-License-Identifier: Apache-2.0
/**
 * Reads the memory of a machine that was written to a file (guest-kernel/docs/dumps.md), and makes a core file of the
 * program and a report about the kernel of it. Nothing in such a file is trusted.
 */
package io.github.javaunikernel.maven.core;
