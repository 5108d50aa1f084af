// SPDX-License-Identifier: Apache-2.0
/**
 * Boots an image on this machine: in QEMU, or on a Xen host by xl.
 * {@link io.github.javaunikernel.maven.run.QemuCommand} is the one description of the machine,
 * {@link io.github.javaunikernel.maven.run.Guest} what both ways have in common, and
 * {@link io.github.javaunikernel.maven.run.Supervised} the promise that nothing outlives the build.
 */
package io.github.javaunikernel.maven.run;
