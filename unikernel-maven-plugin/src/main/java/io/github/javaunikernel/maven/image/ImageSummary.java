// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.util.List;
import java.util.UUID;

/**
 * What was written.
 *
 * @param size of the image in bytes, a multiple of 4096
 * @param stored bytes of it that are in use; the others are free room between files, and zero
 * @param uuid of the file system; derived from its content and time
 * @param entries every node in the order of its path, the root left out
 */
public record ImageSummary(long size, long stored, UUID uuid, List<ImageEntry> entries) {}
