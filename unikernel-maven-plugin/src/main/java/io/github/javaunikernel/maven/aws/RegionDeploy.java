// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.aws.DeploySteps.Step;
import io.github.javaunikernel.maven.aws.SnapshotUploader.Label;
import io.github.javaunikernel.maven.aws.SnapshotUploader.Uploaded;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Image;
import software.amazon.awssdk.services.ec2.model.RegisterImageRequest;

/** One deploy to one region, used once, by one thread. */
final class RegionDeploy {
    /** Time for cleaning up, also when the deploy's own time is over. */
    private static final Duration CLEAN_UP = Duration.ofSeconds(30);

    private final AwsAccess access;
    private final String region;
    private final AmiSpec spec;
    private final DiskImage image;
    private final CloudLog log;
    private final UploadProgress progress;
    private final long started = System.nanoTime();
    private final Retrier retrier;
    private final Ec2Client ec2;
    private final Images images;
    private final Snapshots snapshots;
    private final SnapshotMaps maps;

    RegionDeploy(
            AwsAccess access, String region, AmiSpec spec, DiskImage image, CloudLog log, UploadProgress progress) {
        this.access = access;
        this.region = region;
        this.spec = spec;
        this.image = image;
        this.log = log;
        this.progress = progress;
        this.retrier = new Retrier(Deadline.in(spec.upload().timeout()), log);
        this.ec2 = access.ec2(region);
        this.images = new Images(ec2, retrier);
        this.snapshots = new Snapshots(ec2, retrier);
        this.maps = new SnapshotMaps(directory());
    }

    /** A result for each kind, in the order of the {@link AmiSpec}. */
    List<AmiResult> run() throws CloudException {
        DeploySteps needed = new DeploySteps(spec, region, ec2, retrier, log);
        List<AmiKind> kinds = needed.kinds(image.isForUefi());
        try (UploadJournal journal = UploadJournal.open(directory().resolve("upload.journal"))) {
            List<Image> same = needed.sameContents(image.blocks());
            List<Step> steps = needed.of(kinds, same);
            if (steps.stream().anyMatch(Step::creates)) {
                return create(steps, same, journal);
            }
            uploader(retrier, snapshots).sweep(journal);
            List<AmiResult> results = new ArrayList<>();
            for (Step step : steps) {
                results.add(keep(step));
            }
            return results;
        }
    }

    /** What {@link #run} would do, after asking the service whether it is allowed. */
    List<AmiResult> plan() throws CloudException {
        DeploySteps needed = new DeploySteps(spec, region, ec2, retrier, log);
        List<Image> same = needed.sameContents(image.blocks());
        List<AmiResult> results = new ArrayList<>();
        for (Step step : needed.of(needed.kinds(image.isForUefi()), same)) {
            results.add(
                    step.creates()
                            ? planned(step, same)
                            : result(
                                    step.kind(),
                                    "planned",
                                    step.existing().get().imageId(),
                                    nothingSent(null)));
            if (!step.creates()) {
                log.info(region + ": would keep " + step.existing().get().imageId() + ", which is " + step.status()
                        + ".");
            }
        }
        return results;
    }

    private AmiResult planned(Step step, List<Image> same) throws CloudException {
        Optional<String> parent = parent();
        int changed = parent.flatMap(maps::load)
                .map(old -> image.blocks().changesSince(old).size())
                .orElse(image.blocks().blocks());
        AmiKind kind = step.kind();
        log.info(region + ": would "
                + (same.isEmpty()
                        ? "send " + changed + " of " + image.blocks().blocks()
                                + " blocks"
                                + parent.map(id -> " on top of " + id).orElse("")
                        : "use the snapshot of " + same.get(0).imageId())
                + " and register \"" + kind.name() + "\" as "
                + kind.virtualization().id()
                + kind.bootLoader().map(loader -> " with " + loader.kernelId()).orElse("")
                + step.existing()
                        .map(old -> "; the name is taken by " + old.imageId() + ", so: " + spec.duplicateName())
                        .orElse("")
                + ".");
        checkPermission(kind);
        return result(kind, "planned", null, new Uploaded(null, parent, changed, same.isEmpty() ? changed : 0, 0));
    }

    private AmiResult keep(Step step) throws CloudException {
        Image old = step.existing().orElseThrow();
        log.info(region + ": " + old.imageId() + " is " + step.status() + ".");
        finish(old.imageId());
        return result(
                step.kind(),
                step.status(),
                old.imageId(),
                nothingSent(Images.snapshots(old).stream().findFirst().orElse(null)));
    }

    private List<AmiResult> create(List<Step> steps, List<Image> same, UploadJournal journal) throws CloudException {
        Thread onExit = new Thread(() -> cleanUp(journal), "unikernel-ami-clean-up");
        Runtime.getRuntime().addShutdownHook(onExit);
        try {
            Uploaded uploaded = same.isEmpty()
                    ? upload(journal)
                    : nothingSent(Images.snapshots(same.get(0)).get(0));
            long uploadMillis = elapsedMillis();
            List<AmiResult> results = new ArrayList<>();
            for (Step step : steps) {
                results.add(step.creates() ? register(step, uploaded, uploadMillis) : keep(step));
            }
            journal.clear();
            deleteReplaced(steps);
            return results;
        } catch (CloudException | RuntimeException e) {
            cleanUp(journal);
            throw e;
        } finally {
            removeHook(onExit);
        }
    }

    private Uploaded upload(UploadJournal journal) throws CloudException {
        String name = spec.names().values().iterator().next();
        Label label = new Label(spec.description(), AmiDeployer.tags(spec, name, image.blocks()));
        return uploader(retrier, snapshots).upload(image, parent(), label, journal);
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // the program is ending and the hook runs
        }
    }

    /** Deletes the snapshot of an unfinished deploy, unless it is to be continued or an image was made of it. */
    private synchronized void cleanUp(UploadJournal journal) {
        if (journal.unfinished().isEmpty()) {
            return;
        }
        if (spec.upload().resume()) {
            log.warn(region + ": the upload is kept; the next deploy with resume continues it.");
            return;
        }
        Retrier fresh = new Retrier(Deadline.in(CLEAN_UP), log);
        try {
            uploader(fresh, new Snapshots(ec2, fresh)).sweep(journal);
        } catch (CloudException e) {
            log.warn(
                    region + ": an unfinished snapshot is left and will be deleted by the next deploy of this project: "
                            + e.getMessage());
        }
    }

    private AmiResult register(Step step, Uploaded uploaded, long uploadMillis) throws CloudException {
        RegisterImageRequest request = request(step.kind(), uploaded.snapshotId(), false);
        if (step.existing().isPresent()) {
            checkPermission(step.kind());
            images.deregister(step.existing().get().imageId());
        }
        String imageId = images.register(request);
        log.info(region + ": registered " + imageId + " ("
                + step.kind().virtualization().id() + ") from "
                + uploaded.snapshotId()
                + step.existing().map(old -> " in place of " + old.imageId()).orElse("") + ".");
        images.awaitAvailable(imageId);
        finish(imageId);
        return result(step.kind(), step.status(), imageId, uploaded, uploadMillis);
    }

    /** Deletes the snapshots of images that were replaced, once none of them is in use. */
    private void deleteReplaced(List<Step> steps) throws CloudException {
        for (Step step : steps) {
            List<String> old =
                    step.creates() ? step.existing().map(Images::snapshots).orElse(List.of()) : List.of();
            for (String snapshotId : old) {
                if (snapshots.deleteUnlessInUse(snapshotId)) {
                    maps.delete(snapshotId, log);
                }
            }
        }
    }

    private RegisterImageRequest request(AmiKind kind, String snapshotId, boolean dryRun) {
        return kind.request(
                spec,
                snapshotId,
                image.blocks().volumeGiB(),
                AmiDeployer.tags(spec, kind.name(), image.blocks()),
                dryRun);
    }

    /** Asks EC2 whether RegisterImage would be allowed; EC2 answers every dry run with an error. */
    private void checkPermission(AmiKind kind) throws CloudException {
        RegisterImageRequest request = request(kind, "snap-00000000000000000", true);
        try {
            retrier.call("check the permission to register images", () -> ec2.registerImage(request));
        } catch (CloudException e) {
            if (e.reason() == Reason.PERMISSION || !(e.getCause() instanceof AwsServiceException)) {
                throw e;
            }
            log.debug(region + ": RegisterImage dry run: " + e.getMessage());
        }
    }

    private void finish(String imageId) throws CloudException {
        images.share(imageId, spec.access());
        if (spec.deprecateAt().isPresent()) {
            images.deprecate(imageId, spec.deprecateAt().get());
        }
    }

    private Optional<String> parent() throws CloudException {
        return new ParentChoice(spec, images, snapshots, maps).of(image.blocks());
    }

    private SnapshotUploader uploader(Retrier with, Snapshots its) {
        return new SnapshotUploader(access.ebs(region), its, maps, with, spec.upload(), log, progress);
    }

    private Path directory() {
        return spec.state()
                .resolve(spec.project().replaceAll("[^A-Za-z0-9._-]", "_"))
                .resolve(region);
    }

    private long elapsedMillis() {
        return (System.nanoTime() - started) / 1_000_000;
    }

    private static Uploaded nothingSent(String snapshotId) {
        return new Uploaded(snapshotId, Optional.empty(), 0, 0, 0);
    }

    private AmiResult result(AmiKind kind, String status, String imageId, Uploaded uploaded) {
        return result(kind, status, imageId, uploaded, 0);
    }

    private AmiResult result(AmiKind kind, String status, String imageId, Uploaded uploaded, long uploadMillis) {
        BlockMap blocks = image.blocks();
        return new AmiResult(
                region,
                kind.virtualization().id(),
                status,
                imageId,
                kind.name(),
                uploaded.snapshotId(),
                uploaded.parent().orElse(null),
                kind.kernelId(),
                kind.bootLoader().map(PvGrub.Choice::source).orElse(null),
                spec.size().memory(),
                spec.size().vcpus(),
                blocks.imageBytes(),
                blocks.volumeGiB(),
                blocks.blocks(),
                uploaded.sent(),
                Math.max(0, blocks.blocks() - uploaded.sent()),
                retrier.repeats(),
                uploaded.sendMillis(),
                uploadMillis,
                elapsedMillis());
    }
}
