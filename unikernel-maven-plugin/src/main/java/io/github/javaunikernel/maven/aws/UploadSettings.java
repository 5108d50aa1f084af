// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.time.Duration;
import java.util.Optional;

/**
 * How a snapshot is uploaded.
 *
 * @param workers blocks in flight at once, per region, 1 to 256
 * @param timeout for one region from its first call to the available image
 * @param resume continue what an earlier run left, and leave what this one does not finish
 * @param incremental send only what differs from the project's previous snapshot
 * @param kmsKeyArn encrypt with this key; empty: the account's default decides
 */
public record UploadSettings(
        int workers, Duration timeout, boolean resume, boolean incremental, Optional<String> kmsKeyArn) {
    /** StartSnapshot accepts no shorter Timeout, in minutes. */
    private static final long MIN_SNAPSHOT_MINUTES = 10;
    /** StartSnapshot accepts no longer Timeout, in minutes. */
    private static final long MAX_SNAPSHOT_MINUTES = 4320;

    public UploadSettings {
        if (workers < 1 || workers > 256) {
            throw new IllegalArgumentException("workers must be 1 to 256, not " + workers);
        }
    }

    /** After how many idle minutes EBS gives the unfinished snapshot up. */
    int snapshotMinutes() {
        return (int) Math.max(MIN_SNAPSHOT_MINUTES, Math.min(MAX_SNAPSHOT_MINUTES, timeout.toMinutes()));
    }
}
