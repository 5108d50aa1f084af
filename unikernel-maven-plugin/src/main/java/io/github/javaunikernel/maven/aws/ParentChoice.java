// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.util.Optional;
import software.amazon.awssdk.services.ec2.model.Image;
import software.amazon.awssdk.services.ec2.model.Snapshot;
import software.amazon.awssdk.services.ec2.model.SnapshotState;

/** Finds the snapshot on top of which a project's next one is made. */
record ParentChoice(AmiSpec spec, Images images, Snapshots snapshots, SnapshotMaps maps) {

    /** The snapshot of the project's latest image, when it is known what that holds and it can be built upon. */
    Optional<String> of(BlockMap blocks) throws CloudException {
        if (!spec.upload().incremental()) {
            return Optional.empty();
        }
        for (Image old : images.ofProject(spec.project())) {
            for (String snapshotId : Images.snapshots(old)) {
                Optional<BlockMap> known = maps.load(snapshotId);
                if (known.isPresent() && known.get().volumeGiB() <= blocks.volumeGiB() && isUsable(snapshotId)) {
                    return Optional.of(snapshotId);
                }
            }
        }
        return Optional.empty();
    }

    private boolean isUsable(String snapshotId) throws CloudException {
        Optional<Snapshot> found =
                snapshots.find(snapshotId).filter(snapshot -> snapshot.state() == SnapshotState.COMPLETED);
        Optional<String> key = spec.upload().kmsKeyArn();
        return found.isPresent()
                && (key.isEmpty() || key.get().equals(found.get().kmsKeyId()));
    }
}
