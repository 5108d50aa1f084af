// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Map;

/**
 * The SHA-256 of a file that is asked for again and again. It is kept beside the file, together with size, inode and
 * time of the last change of the inode, which nobody can set back; while these are the same the file is not read. Where
 * the file system has no such time, as on Windows, the file is always read.
 */
final class KnownHash {

    /** Two changes in a shorter time may have the same time on some file systems. */
    private static final Duration TICK = Duration.ofSeconds(2);

    private KnownHash() {}

    /** The hash of the file as it is now. */
    static String of(Path file) throws IOException {
        return of(file, Clock.systemUTC());
    }

    /** As above, by the clock of the file system. */
    static String of(Path file, Clock clock) throws IOException {
        if (!file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            return hash(file);
        }
        Path kept = keptAt(file);
        Stamp before = Stamp.of(file);
        String[] known = read(kept).split(" ", 2);
        if (known.length == 2 && known[1].equals(before.text())) {
            return known[0];
        }
        String hash = hash(file);
        if (before.equals(Stamp.of(file)) && before.isOldAt(clock.instant())) {
            WholeFile.write(kept, part -> Files.writeString(part, hash + " " + before.text()));
        }
        return hash;
    }

    /** Where it is kept. */
    static Path keptAt(Path file) {
        return file.resolveSibling(file.getFileName() + ".sha256");
    }

    private record Stamp(Object device, Object inode, Object size, FileTime changed) {

        private static Stamp of(Path file) throws IOException {
            Map<String, Object> found =
                    FileTrouble.on(file, () -> Files.readAttributes(file, "unix:dev,ino,size,ctime"));
            return new Stamp(found.get("dev"), found.get("ino"), found.get("size"), (FileTime) found.get("ctime"));
        }

        private boolean isOldAt(Instant now) {
            return changed.toInstant().plus(TICK).isBefore(now);
        }

        private String text() {
            return device + " " + inode + " " + size + " " + changed.toInstant();
        }
    }

    private static String read(Path kept) throws IOException {
        try {
            return FileTrouble.on(kept, () -> Files.readString(kept));
        } catch (NoSuchFileException e) {
            return "";
        }
    }

    private static String hash(Path file) throws IOException {
        MessageDigest digest = MachineIdentity.sha256();
        FileTrouble.on(file, () -> Files.copy(file, new DigestOutputStream(OutputStream.nullOutputStream(), digest)));
        return HexFormat.of().formatHex(digest.digest());
    }
}
