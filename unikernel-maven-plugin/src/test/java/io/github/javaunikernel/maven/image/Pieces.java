// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Counts what a deployment of one image after another would send: pieces of 512 KiB that differ. */
public final class Pieces {

    private static final int SIZE = 512 << 10;

    private Pieces() {}

    /** How many pieces of the newer image are not in the same place of the older one; missing ones are zeros. */
    public static int changed(Path older, Path newer) throws IOException {
        int changed = 0;
        try (InputStream before = Files.newInputStream(older);
                InputStream after = Files.newInputStream(newer)) {
            for (byte[] piece = after.readNBytes(SIZE); piece.length > 0; piece = after.readNBytes(SIZE)) {
                byte[] expected = Arrays.copyOf(before.readNBytes(SIZE), SIZE);
                changed += Arrays.equals(expected, Arrays.copyOf(piece, SIZE)) ? 0 : 1;
            }
        }
        return changed;
    }

    /** How many pieces hold anything at all. */
    public static int stored(Path image) throws IOException {
        Path nothing = Files.createTempFile("nothing", null);
        try {
            return changed(nothing, image);
        } finally {
            Files.delete(nothing);
        }
    }
}
