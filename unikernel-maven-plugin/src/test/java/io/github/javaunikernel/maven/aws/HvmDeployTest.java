// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.aws.fake.FakeAws;
import io.github.javaunikernel.maven.aws.fake.FakeRegion;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.ec2.model.RegisterImageRequest;

/** Machine images of both kinds from one snapshot, and what the stand-in refuses of each. */
class HvmDeployTest {
    @TempDir
    Path directory;

    private FakeAws fake;
    private FakeRegion region;
    private Deployments deployments;

    @BeforeEach
    void start() throws IOException {
        fake = new FakeAws();
        region = fake.region(Deployments.REGION);
        deployments = new Deployments(directory);
        deployments.kinds = List.of(Virtualization.HVM);
        deployments.writeImage(1, 4);
        deployments.writeBootSector();
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    @Test
    void registersAnHvmImage() throws Exception {
        AmiResult result = deployments.deployOne(fake);

        assertEquals("hvm", result.virtualization());
        assertEquals(null, result.kernelId());
        assertEquals(
                Map.ofEntries(
                        Map.entry("Name", "shop-1.0"),
                        Map.entry("Description", "Shop"),
                        Map.entry("Architecture", "x86_64"),
                        Map.entry("VirtualizationType", "hvm"),
                        Map.entry("EnaSupport", "true"),
                        Map.entry("BootMode", "legacy-bios"),
                        Map.entry("ImdsSupport", "v2.0"),
                        Map.entry("RootDeviceName", "/dev/sda1"),
                        Map.entry("BlockDeviceMapping.1.DeviceName", "/dev/sda1"),
                        Map.entry("BlockDeviceMapping.1.Ebs.SnapshotId", result.snapshotId()),
                        Map.entry("BlockDeviceMapping.1.Ebs.VolumeSize", "1"),
                        Map.entry("BlockDeviceMapping.1.Ebs.VolumeType", "gp3"),
                        Map.entry("BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true")),
                region.images.get(result.imageId()).fields);
        assertEquals(256, result.memory());
        assertTrue(
                deployments.log.lines.stream().noneMatch(line -> line.startsWith("WARN ")),
                deployments.log.lines::toString);
    }

    @Test
    void addsAVolumeForTheScratchDisk() throws Exception {
        deployments.scratchBytes = (3L << 30) + 1;
        AmiResult result = deployments.deployOne(fake);
        Map<String, String> fields = region.images.get(result.imageId()).fields;
        assertEquals("/dev/sdb", fields.get("BlockDeviceMapping.2.DeviceName"));
        assertEquals("4", fields.get("BlockDeviceMapping.2.Ebs.VolumeSize"));
        assertEquals("gp3", fields.get("BlockDeviceMapping.2.Ebs.VolumeType"));
        assertEquals("unchanged", deployments.deployOne(fake).status());

        deployments.scratchBytes = 0;
        deployments.name = "shop-1.1";
        AmiResult without = deployments.deployOne(fake);
        assertNotEquals(result.imageId(), without.imageId());
        assertEquals(result.snapshotId(), without.snapshotId());
        assertEquals(null, region.images.get(without.imageId()).fields.get("BlockDeviceMapping.2.DeviceName"));
    }

    @Test
    void makesBothKindsOfOneSnapshot() throws Exception {
        deployments.kinds = List.of(Virtualization.HVM, Virtualization.PARAVIRTUAL);
        List<AmiResult> results = deployments.deployAll(fake);

        assertEquals(
                List.of("hvm", "paravirtual"),
                results.stream().map(AmiResult::virtualization).toList());
        assertEquals(
                List.of("shop-1.0", "shop-1.0-paravirtual"),
                results.stream().map(AmiResult::name).toList());
        assertEquals(results.get(0).snapshotId(), results.get(1).snapshotId());
        assertEquals(1, region.snapshots.size());
        assertEquals(
                "aki-00000105",
                region.images.get(results.get(1).imageId()).fields.get("KernelId"));
        assertEquals(
                "gp2", region.images.get(results.get(1).imageId()).fields.get("BlockDeviceMapping.1.Ebs.VolumeType"));

        assertEquals(
                List.of("unchanged", "unchanged"),
                deployments.deployAll(fake).stream().map(AmiResult::status).toList());
        assertEquals(2, region.images.size());
    }

    @Test
    void aKindThatIsAddedLaterUsesTheSnapshotThatIsThere() throws Exception {
        AmiResult first = deployments.deployOne(fake);
        deployments.kinds = List.of(Virtualization.HVM, Virtualization.PARAVIRTUAL);
        List<AmiResult> results = deployments.deployAll(fake);

        assertEquals(
                List.of("unchanged", "created"),
                results.stream().map(AmiResult::status).toList());
        assertEquals(first.snapshotId(), results.get(1).snapshotId());
        assertEquals(1, fake.count("StartSnapshot"));
    }

    @Test
    void replacesBothAndDeletesTheirOneSnapshot() throws Exception {
        deployments.kinds = List.of(Virtualization.HVM, Virtualization.PARAVIRTUAL);
        AmiResult old = deployments.deployAll(fake).get(0);
        deployments.overwrite(1, new byte[] {9});
        deployments.duplicateName = DuplicateName.REPLACE;
        List<AmiResult> results = deployments.deployAll(fake);

        assertEquals(2, region.images.size());
        assertFalse(region.snapshots.containsKey(old.snapshotId()));
        assertTrue(region.snapshots.containsKey(results.get(1).snapshotId()));
    }

    @Test
    void aFailureBetweenTheTwoIsMadeGoodByTheNextDeploy() throws Exception {
        deployments.kinds = List.of(Virtualization.HVM, Virtualization.PARAVIRTUAL);
        deployments.kernelId = Optional.of("malformed");
        CloudException failure =
                deployments.deploy(fake, Deployments.REGION).failures().get(Deployments.REGION);
        assertTrue(failure.getMessage().contains("InvalidAKIID.Malformed"), failure.getMessage());
        assertEquals(1, region.images.size());
        assertEquals(1, region.snapshots.size(), "the snapshot is in use");

        deployments.kernelId = Optional.empty();
        assertEquals(
                List.of("unchanged", "created"),
                deployments.deployAll(fake).stream().map(AmiResult::status).toList());
        assertEquals(1, region.snapshots.size());
    }

    @Test
    void pruningKeepsTheNewestOfEachKind() throws Exception {
        deployments.kinds = List.of(Virtualization.HVM, Virtualization.PARAVIRTUAL);
        AmiResult old = deployments.deployAll(fake).get(0);
        deployments.overwrite(1, new byte[] {9});
        deployments.name = "shop-2";
        List<String> young = deployments.deployAll(fake).stream()
                .map(AmiResult::imageId)
                .sorted()
                .toList();
        try (AwsAccess access = deployments.access(fake)) {
            AmiPruner.Pruned pruned = new AmiPruner(access, Deployments.REGION, Duration.ofSeconds(30), deployments.log)
                    .prune("org.example:shop", 1, false);
            assertEquals(List.of(old.snapshotId()), pruned.snapshotIds());
        }
        assertEquals(young, region.images.keySet().stream().sorted().toList());
    }

    @Test
    void goesWhereParavirtualImagesCannot() throws Exception {
        assertEquals(
                List.of("created"),
                deployments.deploy(fake, "us-east-2").results().stream()
                        .map(AmiResult::status)
                        .toList());
    }

    @Test
    void anImageWithoutBootSectorIsRefusedBeforeAnythingIsSent() throws Exception {
        deployments.overwrite(0, new byte[512]);
        CloudException failure = assertThrows(CloudException.class, () -> deployments.deploy(fake, Deployments.REGION));

        assertEquals(
                "The image " + deployments.image + " has no boot sector, which an hvm machine boots from."
                        + " [parameter virtualization, -Dunikernel.virtualization]"
                        + " Build it again with a version of the plugin that writes one, or make it paravirtual alone.",
                failure.getMessage());
        assertEquals(0, fake.count("StartSnapshot"));
    }

    @Test
    void aPartitionedImageIsRegisteredForUefi() throws Exception {
        deployments.writePartitionTable();
        AmiResult result = deployments.deployOne(fake);
        assertEquals("uefi", region.images.get(result.imageId()).fields.get("BootMode"));
        assertEquals("unchanged", deployments.deployOne(fake).status());
    }

    @Test
    void aPartitionedImageIsNotForParavirtualMachines() throws Exception {
        deployments.writePartitionTable();
        deployments.kinds = List.of(Virtualization.HVM, Virtualization.PARAVIRTUAL);
        CloudException failure = assertThrows(CloudException.class, () -> deployments.deploy(fake, Deployments.REGION));
        assertEquals(
                "The image " + deployments.image + " was made for UEFI, and paravirtual machines do not boot it."
                        + " [parameter virtualization, -Dunikernel.virtualization]"
                        + " Make it without -Dunikernel.firmware=uefi, or deploy it as hvm alone.",
                failure.getMessage());
        assertEquals(0, fake.count("StartSnapshot"));
        CloudException bundled = assertThrows(
                CloudException.class, () -> BundleWriter.write(deployments.image, directory.resolve("bundle"), null));
        assertTrue(bundled.getMessage().contains("was made for UEFI"), bundled.getMessage());
    }

    @Test
    void anUnknownKindIsRefused() throws Exception {
        CloudException failure = assertThrows(CloudException.class, () -> Virtualization.parse(List.of("hvm", "pvh")));
        assertEquals(
                "\"pvh\" is not a kind of machine image. [parameter virtualization, -Dunikernel.virtualization]"
                        + " Give hvm or paravirtual, or both with a comma between them.",
                failure.getMessage());
        assertEquals(
                Reason.SETTING,
                assertThrows(CloudException.class, () -> Virtualization.parse(List.of()))
                        .reason());
        assertEquals(List.of(Virtualization.PARAVIRTUAL), Virtualization.parse(List.of("paravirtual", "paravirtual")));
    }

    /** Without these the tests above would prove little. */
    @ParameterizedTest
    @CsvSource({
        "hvm, kernel, InvalidParameterCombination",
        "hvm, imds, InvalidParameterValue",
        "hvm, boot, InvalidParameterValue",
        "paravirtual, ena, InvalidParameterCombination",
        "paravirtual, boot, InvalidParameterCombination",
        "paravirtual, imds, InvalidParameterValue",
        "microvm, none, InvalidParameterValue"
    })
    void theStandInRefusesWrongCombinations(String kind, String change, String code) throws Exception {
        AmiResult good = deployments.deployOne(fake);
        Map<String, Consumer<RegisterImageRequest.Builder>> changes = Map.of(
                "kernel",
                r -> r.kernelId("aki-00000105"),
                "imds",
                r -> r.imdsSupport("v1.0"),
                "boot",
                r -> r.bootMode("bios"),
                "ena",
                r -> r.enaSupport(true),
                "none",
                r -> {});
        RegisterImageRequest.Builder request = RegisterImageRequest.builder()
                .name("other")
                .architecture("x86_64")
                .virtualizationType(kind)
                .rootDeviceName("/dev/sda1")
                .blockDeviceMappings(m -> m.deviceName("/dev/sda1")
                        .ebs(e -> e.snapshotId(good.snapshotId()).volumeSize(1).deleteOnTermination(true)));
        if (kind.equals("paravirtual")) {
            request.kernelId("aki-00000105");
        }
        changes.get(change).accept(request);
        try (AwsAccess access = deployments.access(fake)) {
            Images images = new Images(
                    access.ec2(Deployments.REGION), new Retrier(Deadline.in(Duration.ofSeconds(30)), deployments.log));
            assertEquals(
                    code,
                    assertThrows(CloudException.class, () -> images.register(request.build()))
                            .code());
        }
        assertEquals(1, region.images.size());
    }
}
