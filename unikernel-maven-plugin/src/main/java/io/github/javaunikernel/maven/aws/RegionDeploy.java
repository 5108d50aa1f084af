// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.aws.SnapshotUploader.Label;
import io.github.javaunikernel.maven.aws.SnapshotUploader.Uploaded;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.BlockDeviceMapping;
import software.amazon.awssdk.services.ec2.model.Image;
import software.amazon.awssdk.services.ec2.model.ImageState;
import software.amazon.awssdk.services.ec2.model.RegisterImageRequest;
import software.amazon.awssdk.services.ec2.model.Snapshot;
import software.amazon.awssdk.services.ec2.model.SnapshotState;

/** One deploy to one region, used once, by one thread. */
final class RegionDeploy {
    /** Cleaning up gets its own time, also when the deploy's is over. */
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

    RegionDeploy(AwsAccess access, String region, AmiSpec spec, DiskImage image, CloudLog log, UploadProgress progress) {
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

    AmiResult run() throws CloudException {
        PvGrub.Choice kernel = chooseKernel();
        try (UploadJournal journal = UploadJournal.open(directory().resolve("upload.journal"))) {
            Optional<Image> same = findSameContents(kernel);
            if (same.isPresent()) {
                uploader(retrier, snapshots).sweep(journal);
                return keep(same.get(), "unchanged", kernel);
            }
            Optional<Image> namesake = images.named(spec.name());
            if (namesake.isPresent() && spec.duplicateName() == DuplicateName.FAIL) {
                throw new CloudException(Reason.NAME, "Region " + region + " already has an image \"" + spec.name() + "\", " + namesake.get().imageId() + ".");
            }
            if (namesake.isPresent() && spec.duplicateName() == DuplicateName.REUSE) {
                return keep(namesake.get(), "reused", kernel);
            }
            return create(kernel, namesake, journal);
        }
    }

    /** What {@link #run} would do, with the service's word on whether it may. */
    AmiResult plan() throws CloudException {
        PvGrub.Choice kernel = chooseKernel();
        Optional<Image> same = findSameContents(kernel);
        if (same.isPresent()) {
            log.info(region + ": would keep " + same.get().imageId() + ", which has the same contents.");
            return result("planned", same.get().imageId(), null, Optional.empty(), kernel, 0, 0, 0);
        }
        Optional<Image> namesake = images.named(spec.name());
        Optional<String> parent = chooseParent();
        int changed = parent.flatMap(maps::load).map(old -> image.blocks().changesSince(old).size()).orElse(image.blocks().blocks());
        log.info(region + ": would send " + changed + " of " + image.blocks().blocks() + " blocks"
                + parent.map(id -> " on top of " + id).orElse("") + " and register \"" + spec.name() + "\" with " + kernel.kernelId()
                + namesake.map(old -> "; the name is taken by " + old.imageId() + ", so: " + spec.duplicateName()).orElse("") + ".");
        checkPermission(kernel);
        return result("planned", null, null, parent, kernel, changed, 0, 0);
    }

    private PvGrub.Choice chooseKernel() throws CloudException {
        InstanceTypes.paravirtual(ec2, retrier, region);
        if (spec.kernelId().isPresent()) {
            return new PvGrub.Choice(spec.kernelId().get(), "given");
        }
        return PvGrub.find(ec2, retrier, region, log);
    }

    private Optional<Image> findSameContents(PvGrub.Choice kernel) throws CloudException {
        List<Image> same = images.owned(Filters.tag(Images.PROJECT_TAG, spec.project()), Filters.tag(Images.CONTENTS_TAG, image.blocks().identity()));
        return same.stream()
                .filter(old -> old.state() == ImageState.AVAILABLE && kernel.kernelId().equals(old.kernelId()))
                .filter(old -> spec.upload().kmsKeyArn().isEmpty() || isEncrypted(old))
                .findFirst();
    }

    private static boolean isEncrypted(Image image) {
        return image.blockDeviceMappings().stream().map(BlockDeviceMapping::ebs).anyMatch(ebs -> ebs != null && Boolean.TRUE.equals(ebs.encrypted()));
    }

    private AmiResult keep(Image old, String status, PvGrub.Choice kernel) throws CloudException {
        log.info(region + ": " + old.imageId() + " is " + status + ".");
        finish(old.imageId());
        return result(status, old.imageId(), Images.snapshots(old).stream().findFirst().orElse(null), Optional.empty(), kernel, 0, 0, 0);
    }

    private AmiResult create(PvGrub.Choice kernel, Optional<Image> namesake, UploadJournal journal) throws CloudException {
        Thread onExit = new Thread(() -> cleanUp(journal), "unikernel-ami-clean-up");
        Runtime.getRuntime().addShutdownHook(onExit);
        try {
            Label label = new Label(spec.description(), AmiDeployer.tags(spec, image.blocks()));
            Uploaded uploaded = uploader(retrier, snapshots).upload(image, chooseParent(), label, journal);
            long uploadMillis = elapsedMillis();
            String imageId = register(uploaded.snapshotId(), kernel, namesake);
            journal.clear();
            log.info(region + ": registered " + imageId + " from " + uploaded.snapshotId() + ".");
            images.awaitAvailable(imageId);
            finish(imageId);
            return result("created", imageId, uploaded.snapshotId(), uploaded.parent(), kernel, uploaded.sent(), uploaded.sendMillis(),
                    uploadMillis);
        } catch (CloudException | RuntimeException e) {
            cleanUp(journal);
            throw e;
        } finally {
            removeHook(onExit);
        }
    }

    private static void removeHook(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // the program is ending and the hook runs
        }
    }

    /** Deletes the snapshot of an unfinished deploy, unless it is to be continued. */
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
            log.warn(region + ": an unfinished snapshot is left and will be deleted by the next deploy of this project: " + e.getMessage());
        }
    }

    /** The project's latest image's snapshot, when it is known what that holds and it can be built upon. */
    private Optional<String> chooseParent() throws CloudException {
        if (!spec.upload().incremental()) {
            return Optional.empty();
        }
        for (Image old : images.ofProject(spec.project())) {
            for (String snapshotId : Images.snapshots(old)) {
                Optional<BlockMap> blocks = maps.load(snapshotId);
                if (blocks.isPresent() && isParentable(snapshotId, blocks.get())) {
                    return Optional.of(snapshotId);
                }
            }
        }
        return Optional.empty();
    }

    private boolean isParentable(String snapshotId, BlockMap blocks) throws CloudException {
        Optional<Snapshot> found = snapshots.find(snapshotId).filter(snapshot -> snapshot.state() == SnapshotState.COMPLETED);
        if (found.isEmpty() || blocks.volumeGiB() > image.blocks().volumeGiB()) {
            return false;
        }
        Optional<String> key = spec.upload().kmsKeyArn();
        return key.isEmpty() || key.get().equals(found.get().kmsKeyId());
    }

    private String register(String snapshotId, PvGrub.Choice kernel, Optional<Image> namesake) throws CloudException {
        RegisterImageRequest.Builder request = request(snapshotId, kernel);
        if (namesake.isEmpty()) {
            return images.register(request.build());
        }
        checkPermission(kernel);
        images.deregister(namesake.get().imageId());
        String imageId = images.register(request.build());
        for (String old : Images.snapshots(namesake.get())) {
            snapshots.delete(old);
            maps.delete(old, log);
        }
        log.info(region + ": " + imageId + " replaces " + namesake.get().imageId() + ".");
        return imageId;
    }

    private RegisterImageRequest.Builder request(String snapshotId, PvGrub.Choice kernel) {
        return Images.paravirtual(spec, snapshotId, image.blocks().volumeGiB(), kernel.kernelId(), AmiDeployer.tags(spec, image.blocks()));
    }

    /** Asks EC2 whether RegisterImage would be allowed; EC2 answers every dry run with an error. */
    private void checkPermission(PvGrub.Choice kernel) throws CloudException {
        RegisterImageRequest request = request("snap-00000000000000000", kernel).dryRun(true).build();
        try {
            retrier.call("check the permission to register images", () -> ec2.registerImage(request));
        } catch (CloudException e) {
            if (e.reason() == Reason.PERMISSION) {
                throw e;
            }
            if (!(e.getCause() instanceof AwsServiceException)) {
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

    private SnapshotUploader uploader(Retrier with, Snapshots its) {
        return new SnapshotUploader(access.ebs(region), its, maps, with, spec.upload(), log, progress);
    }

    private Path directory() {
        return spec.state().resolve(spec.project().replaceAll("[^A-Za-z0-9._-]", "_")).resolve(region);
    }

    private long elapsedMillis() {
        return (System.nanoTime() - started) / 1_000_000;
    }

    private AmiResult result(String status, String imageId, String snapshotId, Optional<String> parent, PvGrub.Choice kernel, int sent, long sendMillis,
            long uploadMillis) {
        BlockMap blocks = image.blocks();
        return new AmiResult(region, status, imageId, spec.name(), snapshotId, parent.orElse(null), kernel.kernelId(), kernel.source(),
                blocks.imageBytes(), blocks.volumeGiB(), blocks.blocks(), sent, Math.max(0, blocks.blocks() - sent), retrier.repeats(), sendMillis, uploadMillis,
                elapsedMillis());
    }
}
