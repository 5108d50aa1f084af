// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.util.List;
import java.util.UUID;

/**
 * What was written.
 *
 * @param size of the image in bytes, a multiple of 4096
 * @param uuid of the file system; derived from its content and time
 * @param entries every node in the order of its path, the root left out
 */
public record ImageSummary(long size, UUID uuid, List<ImageEntry> entries) {}
