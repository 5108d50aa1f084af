// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** A stream cut into files of 10 MiB, each with its SHA-1. */
final class BundleParts extends OutputStream {
    /** Every part but the last has this many bytes. */
    static final int PART_BYTES = 10 * 1024 * 1024;

    private final Path directory;
    private final String prefix;
    private final List<Part> parts = new ArrayList<>();
    private final MessageDigest sha1 = Digests.newDigest("SHA-1");
    private OutputStream out;
    private Path file;
    private int written;

    BundleParts(Path directory, String prefix) {
        this.directory = directory;
        this.prefix = prefix;
    }

    /** @param sha1 hex */
    record Part(Path file, String sha1, long bytes) {}

    /** Complete once this stream is closed. */
    List<Part> parts() {
        return List.copyOf(parts);
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] data, int offset, int length) throws IOException {
        int end = offset + length;
        for (int from = offset; from < end; ) {
            if (out == null) {
                begin();
            }
            int count = Math.min(end - from, PART_BYTES - written);
            out.write(data, from, count);
            sha1.update(data, from, count);
            written += count;
            from += count;
            if (written == PART_BYTES) {
                finish();
            }
        }
    }

    private void begin() throws IOException {
        file = directory.resolve(String.format("%s.part.%02d", prefix, parts.size()));
        out = new BufferedOutputStream(Files.newOutputStream(file), 1 << 16);
        written = 0;
    }

    private void finish() throws IOException {
        out.close();
        out = null;
        parts.add(new Part(file, HexFormat.of().formatHex(sha1.digest()), written));
    }

    @Override
    public void close() throws IOException {
        if (out != null) {
            finish();
        }
    }
}
