// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import software.amazon.awssdk.services.ec2.model.BlockDeviceMapping;
import software.amazon.awssdk.services.ec2.model.BootModeValues;
import software.amazon.awssdk.services.ec2.model.EbsBlockDevice;
import software.amazon.awssdk.services.ec2.model.Image;
import software.amazon.awssdk.services.ec2.model.ImdsSupportValues;
import software.amazon.awssdk.services.ec2.model.RegisterImageRequest;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/**
 * One machine image to be made in a region.
 *
 * @param uefi whether UEFI boots it, and no BIOS; for an hvm image alone
 * @param bootLoader PV-GRUB, for a paravirtual image alone
 */
record AmiKind(Virtualization virtualization, boolean uefi, String name, Optional<PvGrub.Choice> bootLoader) {
    /** The root volume's name, by which the mapping of its snapshot is found; both kinds accept it. */
    private static final String ROOT = "/dev/sda1";
    /** The scratch disk's; the kernel finds it by its contents. */
    private static final String SCRATCH = "/dev/sdb";

    /** Whether an image boots in the same way, with as large a scratch disk. */
    boolean isOf(Image image, MachineSize size) {
        int scratchGiB = image.blockDeviceMappings().stream()
                .filter(mapping -> SCRATCH.equals(mapping.deviceName()) && mapping.ebs() != null)
                .mapToInt(mapping -> mapping.ebs().volumeSize())
                .sum();
        return virtualization.id().equals(image.virtualizationTypeAsString())
                && Objects.equals(kernelId(), image.kernelId())
                && scratchGiB == size.scratchGiB();
    }

    /** Id of the boot loader, or null. */
    String kernelId() {
        return bootLoader.map(PvGrub.Choice::kernelId).orElse(null);
    }

    /**
     * The request for an image whose root volume comes from the snapshot. Source of the fields: RegisterImage in the
     * EC2 API reference. IMDSv2 is enough for the guest, which speaks nothing else.
     */
    RegisterImageRequest request(
            AmiSpec spec, String snapshotId, int volumeGiB, Map<String, String> tags, boolean dryRun) {
        RegisterImageRequest.Builder request = RegisterImageRequest.builder()
                .name(name)
                .description(spec.description())
                .architecture("x86_64")
                .virtualizationType(virtualization.id())
                .rootDeviceName(ROOT)
                .blockDeviceMappings(volumes(spec, snapshotId, volumeGiB))
                .tagSpecifications(TagSpecification.builder()
                        .resourceType(ResourceType.IMAGE)
                        .tags(Images.tags(tags))
                        .build());
        if (dryRun) {
            request.dryRun(true);
        }
        return forKind(request);
    }

    private List<BlockDeviceMapping> volumes(AmiSpec spec, String snapshotId, int volumeGiB) {
        String type = spec.volumeType().orElse(virtualization.volumeType());
        List<BlockDeviceMapping> volumes = new ArrayList<>();
        volumes.add(
                volume(ROOT, e -> e.snapshotId(snapshotId).volumeSize(volumeGiB).volumeType(type)));
        if (spec.size().scratchGiB() > 0) {
            boolean encrypted = spec.upload().kmsKeyArn().isPresent();
            volumes.add(volume(
                    SCRATCH,
                    e -> e.volumeSize(spec.size().scratchGiB()).volumeType(type).encrypted(encrypted ? true : null)));
        }
        return volumes;
    }

    private static BlockDeviceMapping volume(String name, Consumer<EbsBlockDevice.Builder> settings) {
        return BlockDeviceMapping.builder()
                .deviceName(name)
                .ebs(e -> settings.accept(e.deleteOnTermination(true)))
                .build();
    }

    private RegisterImageRequest forKind(RegisterImageRequest.Builder request) {
        return switch (virtualization) {
            case PARAVIRTUAL -> request.kernelId(kernelId()).build();
            case HVM ->
                request.enaSupport(true)
                        .bootMode(uefi ? BootModeValues.UEFI : BootModeValues.LEGACY_BIOS)
                        .imdsSupport(ImdsSupportValues.V2_0)
                        .build();
        };
    }
}
