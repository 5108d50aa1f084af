// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Turns an image file into registered machine images, in several regions at once. Each region succeeds or fails by
 * itself and is never left half done: what a failed or interrupted deploy uploaded is deleted, or with
 * {@link UploadSettings#resume} kept for the next run to continue.
 */
public final class AmiDeployer {
    private final AwsAccess access;
    private final AmiSpec spec;
    private final CloudLog log;
    private final UploadProgress progress;

    public AmiDeployer(AwsAccess access, AmiSpec spec, CloudLog log, UploadProgress progress) {
        this.access = access;
        this.spec = spec;
        this.log = log;
        this.progress = progress;
    }

    /**
     * The outcome, region by region.
     *
     * @param results regions that succeeded
     * @param failures why the others did not
     */
    public record Outcome(List<AmiResult> results, Map<String, CloudException> failures) {}

    /** Deploys to every region in parallel; returns when the last one has finished. */
    public Outcome deploy(List<String> regions) throws CloudException {
        long started = System.nanoTime();
        DiskImage image = image();
        log.info("Image of " + image.blocks().imageBytes() + " bytes: "
                + image.blocks().blocks() + " blocks with data, read in " + (System.nanoTime() - started) / 1_000_000
                + " ms.");
        return inEach(regions, region -> new RegionDeploy(access, region, spec, image, log, progress).run());
    }

    /** Reports what {@link #deploy} would do, and asks the service whether it is allowed. */
    public Outcome plan(List<String> regions) throws CloudException {
        DiskImage image = image();
        return inEach(regions, region -> new RegionDeploy(access, region, spec, image, log, progress).plan());
    }

    /** The image, which must be fit for every kind that is asked for. */
    private DiskImage image() throws CloudException {
        DiskImage image = DiskImage.read(spec.image());
        if (spec.names().containsKey(Virtualization.HVM)) {
            image.requireBootSector();
        }
        if (spec.names().containsKey(Virtualization.PARAVIRTUAL)) {
            DiskImage.requireForPvGrub(spec.image(), CloudSetting.VIRTUALIZATION);
        }
        return image;
    }

    private interface RegionStep {
        List<AmiResult> run(String region) throws CloudException;
    }

    private Outcome inEach(List<String> regions, RegionStep step) throws CloudException {
        ExecutorService pool = Executors.newFixedThreadPool(regions.size());
        try {
            Map<String, Future<List<AmiResult>>> pending = new LinkedHashMap<>();
            regions.forEach(region -> pending.put(region, pool.submit(() -> step.run(region))));
            List<AmiResult> results = new ArrayList<>();
            Map<String, CloudException> failures = new LinkedHashMap<>();
            for (Map.Entry<String, Future<List<AmiResult>>> entry : pending.entrySet()) {
                collect(entry.getKey(), entry.getValue(), results, failures);
            }
            return new Outcome(results, failures);
        } finally {
            pool.shutdownNow();
            progress.finish();
        }
    }

    private static void collect(
            String region,
            Future<List<AmiResult>> pending,
            List<AmiResult> results,
            Map<String, CloudException> failures)
            throws CloudException {
        try {
            results.addAll(pending.get());
        } catch (ExecutionException e) {
            failures.put(region, CloudException.of(e.getCause(), "Deploying to " + region));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CloudException(Reason.INTERRUPTED, "Interrupted while deploying.", e);
        }
    }

    /** Tags of an image or the snapshot: the user's and the program's own. */
    static Map<String, String> tags(AmiSpec spec, String name, BlockMap blocks) {
        Map<String, String> tags = new LinkedHashMap<>(spec.tags());
        tags.putIfAbsent("Name", name);
        tags.put(Images.PROJECT_TAG, spec.project());
        tags.put(Images.CONTENTS_TAG, blocks.identity());
        return tags;
    }
}
