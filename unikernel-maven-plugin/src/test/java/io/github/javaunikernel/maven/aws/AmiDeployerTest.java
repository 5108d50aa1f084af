// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.aws.fake.FakeAws;
import io.github.javaunikernel.maven.aws.fake.FakeRegion;
import io.github.javaunikernel.maven.aws.fake.FakeRegion.FakeImage;
import io.github.javaunikernel.maven.aws.fake.Trouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AmiDeployerTest {
    private static final int BLOCKS = 30;
    /** Every third of {@link #BLOCKS} is a hole; three bytes follow. */
    private static final int WITH_DATA = 21;

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
        deployments.writeImage(1, BLOCKS);
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    @Test
    void registersAParavirtualImageOfTheBytesGiven() throws Exception {
        AmiResult result = deployments.deployOne(fake);

        assertEquals("created", result.status());
        assertEquals(WITH_DATA, result.blocks());
        assertEquals(WITH_DATA, result.blocksSent());
        assertEquals(1, result.volumeGiB());
        assertEquals("found", result.kernelSource());
        FakeImage image = region.images.get(result.imageId());
        assertEquals(
                Map.ofEntries(
                        Map.entry("Name", "shop-1.0"),
                        Map.entry("Description", "Shop"),
                        Map.entry("Architecture", "x86_64"),
                        Map.entry("VirtualizationType", "paravirtual"),
                        Map.entry("KernelId", "aki-00000105"),
                        Map.entry("RootDeviceName", "/dev/sda1"),
                        Map.entry("BlockDeviceMapping.1.DeviceName", "/dev/sda1"),
                        Map.entry("BlockDeviceMapping.1.Ebs.SnapshotId", result.snapshotId()),
                        Map.entry("BlockDeviceMapping.1.Ebs.VolumeSize", "1"),
                        Map.entry("BlockDeviceMapping.1.Ebs.VolumeType", "gp2"),
                        Map.entry("BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true")),
                image.fields);
        assertEquals("org.example:shop", image.tags.get("unikernel:project"));
        assertEquals("blue", image.tags.get("team"));
        assertEquals("shop-1.0", region.snapshots.get(result.snapshotId()).tags.get("Name"));
        assertVolume(result.snapshotId());
        assertEquals(WITH_DATA, fake.count("PutSnapshotBlock"), "only blocks with data are sent");
    }

    @Test
    void deploysToSeveralRegionsEachWithItsBootLoader() throws Exception {
        FakeRegion other = fake.region("us-west-2");
        other.bootLoaders.clear();
        other.bootLoaders.put("aki-77777777", "pv-grub-hd0_1.05-x86_64.gz");

        AmiDeployer.Outcome outcome = deployments.deploy(fake, Deployments.REGION, "us-west-2");

        assertTrue(outcome.failures().isEmpty(), () -> outcome.failures().toString());
        assertEquals(
                List.of("aki-00000105", "aki-77777777"),
                outcome.results().stream().map(AmiResult::kernelId).toList());
        assertEquals(1, other.images.size());
    }

    @Test
    void refusesARegionWithoutParavirtualMachinesAndServesTheOther() throws Exception {
        AmiDeployer.Outcome outcome = deployments.deploy(fake, "us-east-2", Deployments.REGION);

        assertEquals(1, outcome.results().size());
        CloudException failure = outcome.failures().get("us-east-2");
        assertEquals(Reason.REGION, failure.reason());
        assertTrue(
                failure.getMessage().contains("eu-west-1")
                        && failure.getMessage().contains("sa-east-1"),
                failure.getMessage());
        assertTrue(fake.region("us-east-2").snapshots.isEmpty());
    }

    @Test
    void fallsBackToTheTableAndThenGivesUp() throws Exception {
        region.bootLoaders.clear();
        assertEquals("aki-dc9ed9af", deployments.deployOne(fake).kernelId());

        fake.region("eu-north-1").bootLoaders.clear();
        assertEquals(
                Reason.BOOT_LOADER,
                deployments
                        .deploy(fake, "eu-north-1")
                        .failures()
                        .get("eu-north-1")
                        .reason());
    }

    @Test
    void unchangedContentsGiveNoNewImage() throws Exception {
        AmiResult first = deployments.deployOne(fake);
        deployments.name = "shop-1.1";
        AmiResult second = deployments.deployOne(fake);

        assertEquals("unchanged", second.status());
        assertEquals(first.imageId(), second.imageId());
        assertEquals(0, second.blocksSent());
        assertEquals(1, region.images.size());
        assertEquals(1, region.snapshots.size());
    }

    @Test
    void aLaterDeploySendsOnlyWhatChanged() throws Exception {
        AmiResult first = deployments.deployOne(fake);
        deployments.overwrite(3, new byte[] {42});
        deployments.overwrite(4, new byte[BlockMap.BLOCK_SIZE]);
        deployments.overwrite(5, new byte[] {43});
        deployments.name = "shop-1.1";
        AmiResult second = deployments.deployOne(fake);

        assertEquals(first.snapshotId(), second.parentSnapshotId());
        assertEquals(3, second.blocksSent());
        assertNotEquals(first.imageId(), second.imageId());
        assertVolume(second.snapshotId());
    }

    @Test
    void withoutTheRecordOfTheParentEverythingIsSent() throws Exception {
        deployments.deployOne(fake);
        deployments.overwrite(3, new byte[] {42});
        deployments.name = "shop-1.1";
        try (var files = Files.walk(deployments.state)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".blocks")).toList()) {
                Files.writeString(file, Files.readString(file).replaceFirst("\n0 ..", "\n0 00"));
            }
        }
        AmiResult second = deployments.deployOne(fake);

        assertEquals(null, second.parentSnapshotId());
        assertVolume(second.snapshotId());
    }

    @ParameterizedTest
    @ValueSource(longs = {7, 20261123, 99})
    void survivesTroubleByTheHundred(long seed) throws Exception {
        System.out.println("trouble seed " + seed);
        deployments.writeImage(seed, 300);
        deployments.attemptTimeout = Duration.ofMillis(1500);
        deployments.timeout = Duration.ofMinutes(20);
        deployments.workers = 16;
        region.unknownAtFirst = 25;
        Trouble trouble = new Trouble(seed, 0.4, 2500);
        fake.trouble(trouble);

        AmiResult result = deployments.deployOne(fake);

        assertTrue(trouble.dealt() > 100, "only " + trouble.dealt() + " faults");
        assertEquals("created", result.status());
        assertEquals(1, region.images.size());
        assertEquals(1, region.snapshots.size(), "repeated calls make no second snapshot");
        assertVolume(result.snapshotId());
    }

    @Test
    void aRefusalStopsAtOnceAndLeavesNothing() throws Exception {
        fake.deny("PutSnapshotBlock");
        CloudException failure =
                deployments.deploy(fake, Deployments.REGION).failures().get(Deployments.REGION);

        assertEquals(Reason.PERMISSION, failure.reason());
        assertTrue(region.snapshots.isEmpty(), "the snapshot is deleted");
        assertEquals(0, fake.count("PutSnapshotBlock"));
    }

    @Test
    void aFailedUploadIsContinued() throws Exception {
        deployments.resume = true;
        deployments.workers = 1;
        fake.deny("CompleteSnapshot");
        assertFalse(deployments.deploy(fake, Deployments.REGION).failures().isEmpty());
        assertEquals(1, region.snapshots.size(), "kept for the next run");
        fake.allowAll();

        AmiResult result = deployments.deployOne(fake);

        assertEquals(0, result.blocksSent());
        assertEquals(WITH_DATA, fake.count("PutSnapshotBlock"), "every block once over both runs");
        assertEquals(1, fake.count("StartSnapshot"));
        assertVolume(result.snapshotId());
    }

    @Test
    void withoutResumeWhatAnEarlierRunLeftIsSweptUp() throws Exception {
        deployments.resume = true;
        fake.deny("RegisterImage");
        deployments.deploy(fake, Deployments.REGION);
        String left = region.snapshots.keySet().iterator().next();
        fake.allowAll();
        deployments.resume = false;

        AmiResult result = deployments.deployOne(fake);

        assertNotEquals(left, result.snapshotId());
        assertEquals(1, region.snapshots.size());
        assertVolume(result.snapshotId());
    }

    @Test
    void aTakenNameIsAnErrorBeforeAnythingIsSent() throws Exception {
        deployments.deployOne(fake);
        deployments.overwrite(0, new byte[] {9});
        CloudException failure =
                deployments.deploy(fake, Deployments.REGION).failures().get(Deployments.REGION);

        assertEquals(Reason.NAME, failure.reason());
        assertEquals(1, fake.count("StartSnapshot"));
    }

    @Test
    void aTakenNameIsReusedWhenAsked() throws Exception {
        AmiResult first = deployments.deployOne(fake);
        deployments.overwrite(0, new byte[] {9});
        deployments.duplicateName = DuplicateName.REUSE;

        AmiResult second = deployments.deployOne(fake);

        assertEquals("reused", second.status());
        assertEquals(first.imageId(), second.imageId());
    }

    @Test
    void aTakenNameIsReplacedWhenAsked() throws Exception {
        AmiResult first = deployments.deployOne(fake);
        deployments.overwrite(0, new byte[] {9});
        deployments.duplicateName = DuplicateName.REPLACE;

        AmiResult second = deployments.deployOne(fake);

        assertEquals("created", second.status());
        assertEquals(List.of(second.imageId()), List.copyOf(region.images.keySet()));
        assertFalse(region.snapshots.containsKey(first.snapshotId()));
        assertVolume(second.snapshotId());
    }

    @Test
    void sharesAndDeprecates() throws Exception {
        deployments.share = new AmiSpec.Access(
                List.of("210987654321"), List.of("arn:aws:organizations::123456789012:organization/o-abc"));
        deployments.deprecateAt = Optional.of(Instant.parse("2031-05-01T00:00:00Z"));
        AmiResult result = deployments.deployOne(fake);

        FakeImage image = region.images.get(result.imageId());
        assertEquals(
                List.of("210987654321", "arn:aws:organizations::123456789012:organization/o-abc"),
                image.launchPermissions);
        assertEquals(Instant.parse("2031-05-01T00:00:00Z"), Instant.parse(image.deprecationTime));
    }

    @Test
    void encryptsWithTheKeyAndBuildsOnParentsOfTheSameKeyOnly() throws Exception {
        deployments.deployOne(fake);
        deployments.kmsKey = Optional.of("arn:aws:kms:eu-west-1:123456789012:key/one");
        deployments.name = "shop-2";
        AmiResult encrypted = deployments.deployOne(fake);
        assertEquals(null, encrypted.parentSnapshotId(), "the parent has no key");
        assertEquals(
                "arn:aws:kms:eu-west-1:123456789012:key/one", region.snapshots.get(encrypted.snapshotId()).kmsKeyArn);

        deployments.overwrite(0, new byte[] {9});
        deployments.name = "shop-3";
        AmiResult child = deployments.deployOne(fake);
        assertEquals(encrypted.snapshotId(), child.parentSnapshotId());
        assertTrue(region.snapshots.get(child.snapshotId()).encrypted);
        assertVolume(child.snapshotId());
    }

    @Test
    void aPlanChangesNothingAndAsksForPermission() throws Exception {
        assertEquals(
                "planned",
                deployments.plan(fake, Deployments.REGION).results().get(0).status());
        assertTrue(region.snapshots.isEmpty() && region.images.isEmpty());

        fake.deny("RegisterImage");
        assertEquals(
                Reason.PERMISSION,
                deployments
                        .plan(fake, Deployments.REGION)
                        .failures()
                        .get(Deployments.REGION)
                        .reason());
    }

    @Test
    void theDeadlineEndsAHopelessDeploy() throws Exception {
        fake.trouble(new Trouble(3, 1, 10));
        deployments.timeout = Duration.ofSeconds(2);
        CloudException failure =
                deployments.deploy(fake, Deployments.REGION).failures().get(Deployments.REGION);
        assertEquals(Reason.DEADLINE, failure.reason(), failure.getMessage());
    }

    @Test
    void missingAndEmptyImagesAreErrors() throws Exception {
        Files.write(deployments.image, new byte[0]);
        assertEquals(
                Reason.IMAGE,
                assertThrows(CloudException.class, () -> deployments.deploy(fake, Deployments.REGION))
                        .reason());
        Files.delete(deployments.image);
        assertEquals(
                Reason.IMAGE,
                assertThrows(CloudException.class, () -> deployments.deploy(fake, Deployments.REGION))
                        .reason());
        Files.write(deployments.image, new byte[100_000]);
        assertEquals(
                Reason.IMAGE,
                assertThrows(CloudException.class, () -> deployments.deploy(fake, Deployments.REGION))
                        .reason());
    }

    @Test
    void secretsAreInNoLogAndNoFile() throws Exception {
        deployments.deployOne(fake);
        deployments.log.lines.forEach(line -> assertFalse(line.contains(FakeAws.SECRET_KEY), line));
        try (var files = Files.walk(deployments.state)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                assertFalse(Files.readString(file).contains(FakeAws.SECRET_KEY), file.toString());
            }
        }
    }

    private void assertVolume(String snapshotId) throws IOException {
        Path volume = directory.resolve("volume");
        fake.reassemble(snapshotId, volume);
        assertEquals(1L << 30, Files.size(volume));
        byte[] expected = Files.readAllBytes(deployments.image);
        try (var in = Files.newInputStream(volume)) {
            assertArrayEquals(expected, in.readNBytes(expected.length));
            byte[] rest = in.readNBytes(1 << 20);
            assertTrue(Arrays.equals(rest, new byte[1 << 20]), "zeros after the image");
        }
    }
}
