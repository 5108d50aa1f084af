// SPDX-License-Identifier: Apache-2.0
/**
 * Writes ext2 file systems straight to a file: no mount, no root, no external tool.
 *
 * <p>{@link io.github.javaunikernel.maven.image.ImageTree} says what is in the file system,
 * {@link io.github.javaunikernel.maven.image.Ext2Writer} lays it out and writes it. The layout is what the oldest
 * readers understand (GRUB 0.97): revision 1, 4096-byte blocks, 128-byte inodes, and only the features
 * {@code filetype}, {@code sparse_super} and {@code large_file}. The same tree and time give the same bytes.
 *
 * <p>Layout facts are those of the Linux kernel's Documentation/filesystems/ext2.rst and of the e2fsprogs library's
 * {@code ext2_fs.h}.
 */
package io.github.javaunikernel.maven.image;
