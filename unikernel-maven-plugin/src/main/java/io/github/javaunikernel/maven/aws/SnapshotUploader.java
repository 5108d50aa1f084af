// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.BlockMap.Block;
import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.ebs.EbsClient;
import software.amazon.awssdk.services.ebs.model.ChecksumAggregationMethod;
import software.amazon.awssdk.services.ebs.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.ebs.model.CompleteSnapshotRequest;
import software.amazon.awssdk.services.ebs.model.StartSnapshotRequest;
import software.amazon.awssdk.services.ebs.model.Tag;
import software.amazon.awssdk.services.ec2.model.SnapshotState;

/**
 * One image into one completed snapshot through the EBS direct API. Every step is in the journal before or as it
 * happens, so that {@link #sweep} finds what a killed run left. Used by one thread; the blocks go over several (see
 * {@link BlockSender}).
 */
final class SnapshotUploader {
    /** Tag by which an unfinished snapshot is found again; its value is the upload's token. */
    static final String UPLOAD_TAG = "unikernel:upload";

    private final EbsClient ebs;
    private final Snapshots snapshots;
    private final SnapshotMaps maps;
    private final Retrier retrier;
    private final UploadSettings settings;
    private final CloudLog log;
    private final UploadProgress progress;

    SnapshotUploader(
            EbsClient ebs,
            Snapshots snapshots,
            SnapshotMaps maps,
            Retrier retrier,
            UploadSettings settings,
            CloudLog log,
            UploadProgress progress) {
        this.ebs = ebs;
        this.snapshots = snapshots;
        this.maps = maps;
        this.retrier = retrier;
        this.settings = settings;
        this.log = log;
        this.progress = progress;
    }

    /** What a snapshot is called and marked with. */
    record Label(String description, Map<String, String> tags) {}

    /**
     * A completed snapshot.
     *
     * @param parent the snapshot it was made on top of
     * @param changed blocks in which it differs from the parent, or all that hold data
     * @param sent blocks this run sent; fewer than {@code changed} when it continued an earlier one
     * @param sendMillis for the blocks alone
     */
    record Uploaded(String snapshotId, Optional<String> parent, int changed, int sent, long sendMillis) {}

    /**
     * Uploads on top of {@code parent}, or continues the upload that the journal records when settings and image allow.
     */
    Uploaded upload(DiskImage image, Optional<String> parent, Label label, UploadJournal journal)
            throws CloudException {
        if (!continues(image, journal)) {
            sweep(journal);
            start(image, parent, label, journal);
        }
        UploadJournal.State state = journal.unfinished().orElseThrow();
        String snapshotId = state.snapshotId().orElseThrow();
        List<Block> changes = changes(image, state.parent());
        int sent = 0;
        long sendMillis = 0;
        if (!state.completed()) {
            long started = System.nanoTime();
            sent = send(image, snapshotId, changes, journal);
            sendMillis = (System.nanoTime() - started) / 1_000_000;
            complete(snapshotId, changes);
            journal.completed();
        }
        snapshots.awaitCompleted(snapshotId);
        maps.save(snapshotId, image.blocks(), log);
        return new Uploaded(snapshotId, state.parent(), changes.size(), sent, sendMillis);
    }

    /** Deletes the snapshot of an upload that is not to be continued, and forgets it. */
    void sweep(UploadJournal journal) throws CloudException {
        Optional<UploadJournal.State> left = journal.unfinished();
        if (left.isEmpty()) {
            return;
        }
        Optional<String> snapshotId = left.get().snapshotId();
        if (snapshotId.isEmpty()) {
            snapshotId = snapshots.findByUploadToken(left.get().token());
        }
        if (snapshotId.isPresent()) {
            deleteUnlessInUse(snapshotId.get());
        }
        journal.clear();
    }

    /** An earlier run may have been stopped after an image was registered: then nothing is unfinished. */
    private void deleteUnlessInUse(String snapshotId) throws CloudException {
        if (snapshots.deleteUnlessInUse(snapshotId)) {
            maps.delete(snapshotId, log);
            log.info("Deleted the unfinished snapshot " + snapshotId + ".");
        }
    }

    private boolean continues(DiskImage image, UploadJournal journal) throws CloudException {
        Optional<UploadJournal.State> left = journal.unfinished();
        if (!settings.resume()
                || left.isEmpty()
                || !left.get().identity().equals(image.blocks().identity())) {
            return false;
        }
        UploadJournal.State state = left.get();
        if (state.parent().isPresent() && maps.load(state.parent().get()).isEmpty()) {
            return false;
        }
        if (state.snapshotId().isEmpty()) {
            Optional<String> found = snapshots.findByUploadToken(state.token());
            if (found.isEmpty()) {
                return false;
            }
            journal.started(found.get());
        }
        return isUsable(state, journal);
    }

    private boolean isUsable(UploadJournal.State state, UploadJournal journal) throws CloudException {
        String snapshotId = state.snapshotId().orElseThrow();
        Optional<SnapshotState> found = snapshots.state(snapshotId);
        if (found.equals(Optional.of(SnapshotState.COMPLETED)) && !state.completed()) {
            journal.completed();
        }
        boolean usable =
                found.equals(Optional.of(SnapshotState.PENDING)) || found.equals(Optional.of(SnapshotState.COMPLETED));
        log.info(
                usable
                        ? "Continuing the upload to " + snapshotId + "."
                        : "The earlier upload to " + snapshotId + " cannot be continued.");
        return usable;
    }

    private void start(DiskImage image, Optional<String> parent, Label label, UploadJournal journal)
            throws CloudException {
        UploadJournal.State state = journal.begin(image.blocks().identity(), parent);
        List<Tag> tags = new ArrayList<>();
        label.tags()
                .forEach((key, value) ->
                        tags.add(Tag.builder().key(key).value(value).build()));
        tags.add(Tag.builder().key(UPLOAD_TAG).value(state.token()).build());
        StartSnapshotRequest.Builder request = StartSnapshotRequest.builder()
                .volumeSize((long) image.blocks().volumeGiB())
                .description(label.description())
                .tags(tags)
                .clientToken(state.token())
                .timeout(settings.snapshotMinutes());
        parent.ifPresent(request::parentSnapshotId);
        if (parent.isEmpty() && settings.kmsKeyArn().isPresent()) {
            // a child inherits its parent's key, and the API refuses both
            request.encrypted(true).kmsKeyArn(settings.kmsKeyArn().get());
        }
        journal.started(retrier.call("start a snapshot", () -> ebs.startSnapshot(request.build()))
                .snapshotId());
    }

    private List<Block> changes(DiskImage image, Optional<String> parent) throws CloudException {
        if (parent.isEmpty()) {
            return image.blocks().all();
        }
        BlockMap old = maps.load(parent.get())
                .orElseThrow(() -> new CloudException(
                        Reason.RECORD,
                        CloudSetting.STATE_DIRECTORY,
                        "The record of the contents of snapshot " + parent.get()
                                + " was deleted during the deployment.",
                        "Run again.",
                        null));
        return image.blocks().changesSince(old);
    }

    private int send(DiskImage image, String snapshotId, List<Block> changes, UploadJournal journal)
            throws CloudException {
        List<Block> missing =
                changes.stream().filter(block -> !journal.isSent(block.index())).toList();
        new BlockSender(ebs, retrier, settings.workers(), progress).send(image, snapshotId, missing, journal);
        return missing.size();
    }

    private void complete(String snapshotId, List<Block> changes) throws CloudException {
        CompleteSnapshotRequest request = CompleteSnapshotRequest.builder()
                .snapshotId(snapshotId)
                .changedBlocksCount(changes.size())
                .checksum(Digests.linear(changes))
                .checksumAlgorithm(ChecksumAlgorithm.SHA256)
                .checksumAggregationMethod(ChecksumAggregationMethod.LINEAR)
                .build();
        try {
            retrier.callFresh("complete " + snapshotId, () -> ebs.completeSnapshot(request));
        } catch (CloudException e) {
            // an earlier attempt may have got through although its answer was lost
            if (!snapshots.state(snapshotId).equals(Optional.of(SnapshotState.COMPLETED))) {
                throw e;
            }
        }
    }
}
