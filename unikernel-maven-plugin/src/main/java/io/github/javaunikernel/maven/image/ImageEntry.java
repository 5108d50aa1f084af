// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

/**
 * One node as it was written.
 *
 * @param path absolute path in the image
 * @param type {@code directory}, {@code file} or {@code link}
 * @param permissions the nine permission bits
 * @param size bytes of content; for a link, of its target
 * @param sha256 of a file's content in lower-case hexadecimal, else null
 * @param target of a link, else null
 * @param origin where it came from
 */
public record ImageEntry(
        String path, String type, int permissions, long size, String sha256, String target, String origin) {}
