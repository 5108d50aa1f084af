// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import software.amazon.awssdk.services.ec2.model.Image;
import software.amazon.awssdk.services.ec2.model.Snapshot;

/** Removes a project's older images in one region, their snapshots, and snapshots that no image uses. */
public final class AmiPruner {
    /** A younger snapshot without image may belong to a deploy under way. */
    private static final Duration ORPHAN_AGE = Duration.ofDays(1);

    private final Images images;
    private final Snapshots snapshots;
    private final String region;
    private final CloudLog log;

    public AmiPruner(AwsAccess access, String region, Duration timeout, CloudLog log) {
        Retrier retrier = new Retrier(Deadline.in(timeout), log);
        this.images = new Images(access.ec2(region), retrier);
        this.snapshots = new Snapshots(access.ec2(region), retrier);
        this.region = region;
        this.log = log;
    }

    /**
     * What is, or would be, removed.
     *
     * @param imageIds oldest last
     * @param snapshotIds of these images, and orphans
     */
    public record Pruned(List<String> imageIds, List<String> snapshotIds) {}

    /**
     * Keeps the newest images of the project, of each kind, and removes the rest.
     *
     * @param keep images of each kind to keep, at least 0
     * @param dryRun only say what would be removed
     */
    public Pruned prune(String project, int keep, boolean dryRun) throws CloudException {
        List<Image> all = images.ofProject(project);
        List<Image> old = beyond(keep, all);
        Set<String> kept = new HashSet<>();
        all.stream().filter(image -> !old.contains(image)).forEach(image -> kept.addAll(Images.snapshots(image)));
        List<String> doomed = new ArrayList<>();
        for (Image image : old) {
            Images.snapshots(image).stream()
                    .filter(id -> !kept.contains(id) && !doomed.contains(id))
                    .forEach(doomed::add);
        }
        doomed.addAll(orphans(project, all));
        for (Image image : old) {
            log.info(region + ": " + (dryRun ? "would deregister " : "deregistering ") + image.imageId() + " \""
                    + image.name() + "\" of " + image.creationDate() + ".");
            if (!dryRun) {
                images.deregister(image.imageId());
            }
        }
        for (String snapshotId : doomed) {
            log.info(region + ": " + (dryRun ? "would delete " : "deleting ") + snapshotId + ".");
            if (!dryRun) {
                deleteUnlessInUse(snapshotId);
            }
        }
        return new Pruned(old.stream().map(Image::imageId).toList(), List.copyOf(doomed));
    }

    /** The images after the newest ones of their kind. */
    private static List<Image> beyond(int keep, List<Image> newestFirst) {
        Map<String, Integer> seen = new HashMap<>();
        return newestFirst.stream()
                .filter(image -> seen.merge(image.virtualizationTypeAsString(), 1, Integer::sum) > keep)
                .toList();
    }

    private List<String> orphans(String project, List<Image> all) throws CloudException {
        Set<String> used = new HashSet<>();
        all.forEach(image -> used.addAll(Images.snapshots(image)));
        Instant before = Instant.now().minus(ORPHAN_AGE);
        return snapshots.owned(Filters.tag(Images.PROJECT_TAG, project)).stream()
                .filter(snapshot -> !used.contains(snapshot.snapshotId()))
                .filter(snapshot -> Optional.ofNullable(snapshot.startTime())
                        .map(start -> start.isBefore(before))
                        .orElse(false))
                .map(Snapshot::snapshotId)
                .toList();
    }

    private void deleteUnlessInUse(String snapshotId) throws CloudException {
        if (!snapshots.deleteUnlessInUse(snapshotId)) {
            log.warn(region + ": " + snapshotId + " is kept: an image outside this project uses it.");
        }
    }
}
