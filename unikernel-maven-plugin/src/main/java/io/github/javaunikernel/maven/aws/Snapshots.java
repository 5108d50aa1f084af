// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Snapshot;
import software.amazon.awssdk.services.ec2.model.SnapshotState;

/** EC2's side of snapshots: state, search, deletion. */
final class Snapshots {
    private final Ec2Client ec2;
    private final Retrier retrier;

    Snapshots(Ec2Client ec2, Retrier retrier) {
        this.ec2 = ec2;
        this.retrier = retrier;
    }

    Optional<Snapshot> find(String snapshotId) throws CloudException {
        try {
            return describe(snapshotId).stream().findFirst();
        } catch (CloudException e) {
            if (e.isNotFound()) {
                return Optional.empty();
            }
            throw e;
        }
    }

    Optional<SnapshotState> state(String snapshotId) throws CloudException {
        return find(snapshotId).map(Snapshot::state);
    }

    Optional<String> findByUploadToken(String token) throws CloudException {
        return owned(Filters.tag(SnapshotUploader.UPLOAD_TAG, token)).stream()
                .findFirst()
                .map(Snapshot::snapshotId);
    }

    /** The account's snapshots that pass the filters. */
    List<Snapshot> owned(Filter... filters) throws CloudException {
        return retrier.call(
                "list snapshots",
                () -> ec2.describeSnapshotsPaginator(r -> r.ownerIds("self").filters(filters)).snapshots().stream()
                        .toList());
    }

    /** Waits until the snapshot's data is in place. */
    void awaitCompleted(String snapshotId) throws CloudException {
        Polling polling = new Polling(retrier);
        do {
            Snapshot snapshot = retrier.callFresh("see " + snapshotId, () -> describeOne(snapshotId));
            if (snapshot.state() == SnapshotState.COMPLETED) {
                return;
            }
            if (snapshot.state() == SnapshotState.ERROR) {
                throw new CloudException(
                        Reason.SERVICE, "EBS gave " + snapshotId + " up: " + snapshot.stateMessage() + ".");
            }
        } while (polling.again());
        throw new CloudException(Reason.DEADLINE, "Snapshot " + snapshotId + " was not complete in time.");
    }

    /** Deletes; one that is gone already is fine. */
    void delete(String snapshotId) throws CloudException {
        try {
            retrier.call("delete " + snapshotId, () -> ec2.deleteSnapshot(r -> r.snapshotId(snapshotId)));
        } catch (CloudException e) {
            if (!e.isNotFound()) {
                throw e;
            }
        }
    }

    /** Deletes, unless an image uses it; whether it is gone. */
    boolean deleteUnlessInUse(String snapshotId) throws CloudException {
        try {
            delete(snapshotId);
            return true;
        } catch (CloudException e) {
            if (!"InvalidSnapshot.InUse".equals(e.code())) {
                throw e;
            }
            return false;
        }
    }

    private Snapshot describeOne(String snapshotId) {
        return ec2.describeSnapshots(r -> r.snapshotIds(snapshotId)).snapshots().get(0);
    }

    private List<Snapshot> describe(String snapshotId) throws CloudException {
        return retrier.call(
                "see " + snapshotId,
                () -> ec2.describeSnapshots(r -> r.snapshotIds(snapshotId)).snapshots());
    }
}
