// SPDX-License-Identifier: Apache-2.0
/**
 * The guest kernel's file, and what a boot loader, the kernel and a Xen host read: their files' texts and the limits on
 * them.
 */
package io.github.javaunikernel.maven.boot;
