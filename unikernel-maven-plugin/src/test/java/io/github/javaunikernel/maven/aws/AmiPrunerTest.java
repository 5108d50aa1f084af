// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.aws.fake.FakeAws;
import io.github.javaunikernel.maven.aws.fake.FakeRegion;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AmiPrunerTest {
    @TempDir
    Path directory;

    private FakeAws fake;
    private FakeRegion region;
    private Deployments deployments;
    private final List<AmiResult> deployed = new ArrayList<>();

    @BeforeEach
    void deployFour() throws Exception {
        fake = new FakeAws();
        region = fake.region(Deployments.REGION);
        deployments = new Deployments(directory);
        for (int i = 0; i < 4; i++) {
            deployments.writeImage(i, 2);
            deployments.name = "shop-" + i;
            deployed.add(deployments.deployOne(fake));
        }
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    private AmiPruner.Pruned prune(String project, int keep, boolean dryRun) throws CloudException {
        try (AwsAccess access = deployments.access(fake)) {
            return new AmiPruner(access, Deployments.REGION, Duration.ofSeconds(30), deployments.log)
                    .prune(project, keep, dryRun);
        }
    }

    @Test
    void aDryRunOnlyTells() throws Exception {
        AmiPruner.Pruned pruned = prune("org.example:shop", 1, true);
        assertEquals(
                List.of(
                        deployed.get(2).imageId(),
                        deployed.get(1).imageId(),
                        deployed.get(0).imageId()),
                pruned.imageIds());
        assertEquals(4, region.images.size());
        assertEquals(4, region.snapshots.size());
    }

    @Test
    void keepsTheNewestAndDeletesTheOthersWithTheirSnapshots() throws Exception {
        prune("org.example:shop", 2, false);
        assertEquals(Set.of(deployed.get(2).imageId(), deployed.get(3).imageId()), region.images.keySet());
        assertEquals(Set.of(deployed.get(2).snapshotId(), deployed.get(3).snapshotId()), region.snapshots.keySet());
    }

    @Test
    void leavesOtherProjectsAndYoungOrphansAlone() throws Exception {
        region.images.remove(deployed.get(0).imageId());
        assertTrue(prune("org.example:other", 0, false).imageIds().isEmpty());
        prune("org.example:shop", 3, false);
        assertEquals(4, region.snapshots.size());
    }
}
