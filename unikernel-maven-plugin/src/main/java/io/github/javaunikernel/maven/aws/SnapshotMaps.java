// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The block maps of snapshots uploaded from here, on disk by snapshot id, so that a later deploy can send differences
 * only. It is a cache: what is missing costs a full upload, nothing else.
 */
final class SnapshotMaps {
    /** Snapshot ids become file names; EC2's have 8 or 17 hexadecimal digits. */
    private static final Pattern SNAPSHOT_ID = Pattern.compile("snap-[0-9a-f]{8,17}");

    private final Path directory;

    SnapshotMaps(Path directory) {
        this.directory = directory;
    }

    Optional<BlockMap> load(String snapshotId) {
        return isId(snapshotId) ? BlockMap.load(file(snapshotId)) : Optional.empty();
    }

    void save(String snapshotId, BlockMap blocks, CloudLog log) {
        if (!isId(snapshotId)) {
            return;
        }
        try {
            blocks.save(file(snapshotId));
        } catch (IOException e) {
            log.warn("Cannot remember what " + snapshotId + " holds (" + file(snapshotId) + ": "
                    + FileTrouble.cause(file(snapshotId), e) + "); the next deploy will send every block.");
        }
    }

    void delete(String snapshotId, CloudLog log) {
        if (!isId(snapshotId)) {
            return;
        }
        try {
            Files.deleteIfExists(file(snapshotId));
        } catch (IOException e) {
            log.debug("Cannot delete " + file(snapshotId) + ": " + FileTrouble.cause(file(snapshotId), e) + ".");
        }
    }

    private static boolean isId(String snapshotId) {
        return SNAPSHOT_ID.matcher(snapshotId).matches();
    }

    private Path file(String snapshotId) {
        return directory.resolve(snapshotId + ".blocks");
    }
}
