// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.BlockDeviceMapping;
import software.amazon.awssdk.services.ec2.model.Image;
import software.amazon.awssdk.services.ec2.model.ImageState;

/** Finds out what a deploy to one region has to do: which images are to be made, and which are there already. */
final class DeploySteps {
    private final AmiSpec spec;
    private final String region;
    private final Ec2Client ec2;
    private final Images images;
    private final Retrier retrier;
    private final CloudLog log;

    DeploySteps(AmiSpec spec, String region, Ec2Client ec2, Retrier retrier, CloudLog log) {
        this.spec = spec;
        this.region = region;
        this.ec2 = ec2;
        this.images = new Images(ec2, retrier);
        this.retrier = retrier;
        this.log = log;
    }

    /**
     * What is to be done for one kind.
     *
     * @param status as in {@link AmiResult}
     * @param existing what is kept; or, with status {@code created}, what is replaced
     */
    record Step(AmiKind kind, String status, Optional<Image> existing) {
        boolean creates() {
            return status.equals("created");
        }
    }

    /** The kinds asked for; the region must have machines for each, and a boot loader for those that need one. */
    List<AmiKind> kinds(boolean uefi) throws CloudException {
        List<AmiKind> kinds = new ArrayList<>();
        for (Map.Entry<Virtualization, String> entry : spec.names().entrySet()) {
            Virtualization kind = entry.getKey();
            InstanceTypes.offered(InstanceTypes.all(kind, uefi), kind, uefi, ec2, retrier, region);
            Optional<PvGrub.Choice> bootLoader =
                    kind == Virtualization.PARAVIRTUAL ? Optional.of(bootLoader()) : Optional.empty();
            kinds.add(new AmiKind(kind, uefi, entry.getValue(), bootLoader));
        }
        return kinds;
    }

    private PvGrub.Choice bootLoader() throws CloudException {
        if (spec.kernelId().isPresent()) {
            return new PvGrub.Choice(spec.kernelId().get(), "given");
        }
        return PvGrub.find(ec2, retrier, region, log);
    }

    /** The project's images that hold what is to be deployed, in whichever way they boot. */
    List<Image> sameContents(BlockMap blocks) throws CloudException {
        return images
                .owned(
                        Filters.tag(Images.PROJECT_TAG, spec.project()),
                        Filters.tag(Images.CONTENTS_TAG, blocks.identity()))
                .stream()
                .filter(old -> old.state() == ImageState.AVAILABLE
                        && !Images.snapshots(old).isEmpty())
                .filter(old -> spec.upload().kmsKeyArn().isEmpty() || isEncrypted(old))
                .toList();
    }

    private static boolean isEncrypted(Image image) {
        return image.blockDeviceMappings().stream()
                .map(BlockDeviceMapping::ebs)
                .anyMatch(ebs -> ebs != null && Boolean.TRUE.equals(ebs.encrypted()));
    }

    /** What to do for each kind, in the same order. */
    List<Step> of(List<AmiKind> kinds, List<Image> same) throws CloudException {
        List<Step> steps = new ArrayList<>();
        for (AmiKind kind : kinds) {
            steps.add(step(kind, same));
        }
        return steps;
    }

    private Step step(AmiKind kind, List<Image> same) throws CloudException {
        Optional<Image> unchanged =
                same.stream().filter(image -> kind.isOf(image, spec.size())).findFirst();
        if (unchanged.isPresent()) {
            return new Step(kind, "unchanged", unchanged);
        }
        Optional<Image> namesake = images.named(kind.name());
        if (namesake.isPresent() && spec.duplicateName() == DuplicateName.FAIL) {
            throw new CloudException(
                    Reason.NAME,
                    "Region " + region + " already has an image \"" + kind.name() + "\", "
                            + namesake.get().imageId() + ".");
        }
        boolean reused = namesake.isPresent() && spec.duplicateName() == DuplicateName.REUSE;
        return new Step(kind, reused ? "reused" : "created", namesake);
    }
}
