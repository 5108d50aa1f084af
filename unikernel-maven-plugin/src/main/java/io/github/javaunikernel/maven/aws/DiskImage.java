// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.nio.file.Path;

/** A raw image file and what its blocks hold. Immutable; the file must not change while it is in use. */
record DiskImage(Path file, BlockMap blocks) {
    static DiskImage read(Path file) throws CloudException {
        return new DiskImage(file, BlockMap.of(file));
    }
}
