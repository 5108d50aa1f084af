// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.aws.fake.FakeAws;
import io.github.javaunikernel.maven.aws.fake.FakeRegion;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A deploy in a process of its own, ended in mid-upload. */
class KilledUploadTest {
    private static final int BLOCKS = 90;
    private static final int WITH_DATA = 61;

    @TempDir
    Path directory;

    private FakeAws fake;
    private FakeRegion region;
    private Deployments deployments;

    @BeforeEach
    void start() throws IOException {
        fake = new FakeAws();
        region = fake.region(Deployments.REGION);
        region.ebsDelayMillis = 60;
        deployments = new Deployments(directory);
        deployments.writeImage(5, BLOCKS);
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    @Test
    void killedWithoutWarningItIsContinued() throws Exception {
        deployInProcess(true, Signal.KILL);
        region.ebsDelayMillis = 0;
        deployments.resume = true;
        AmiResult result = deployments.deployOne(fake);

        assertEquals(1, fake.count("StartSnapshot"));
        assertTrue(result.blocksSent() < WITH_DATA - 5, "sent again: " + result.blocksSent());
        assertVolume(result.snapshotId());
    }

    @Test
    void killedWithoutWarningTheNextDeploySweepsUp() throws Exception {
        deployInProcess(false, Signal.KILL);
        assertEquals(1, region.snapshots.size());
        region.ebsDelayMillis = 0;

        AmiResult result = deployments.deployOne(fake);

        assertEquals(1, region.snapshots.size(), "the orphan is gone");
        assertVolume(result.snapshotId());
    }

    @Test
    void interruptedItCleansUpBehindItself() throws Exception {
        deployInProcess(false, Signal.TERMINATE);
        assertTrue(region.snapshots.isEmpty());
        assertTrue(region.images.isEmpty());
    }

    private enum Signal {
        KILL,
        TERMINATE
    }

    private void deployInProcess(boolean resume, Signal signal) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Deploying.class.getName(),
                fake.endpoint().toString(),
                directory.toString(),
                Boolean.toString(resume)));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("output").toFile())
                .start();
        try {
            assertTrue(fake.awaitCalls("PutSnapshotBlock", 10, Duration.ofSeconds(60)), () -> output());
            if (signal == Signal.KILL) {
                process.destroyForcibly();
            } else {
                process.destroy();
            }
            assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        } finally {
            process.destroyForcibly();
        }
    }

    private String output() {
        try {
            return Files.readString(directory.resolve("output"));
        } catch (IOException e) {
            return e.toString();
        }
    }

    private void assertVolume(String snapshotId) throws IOException {
        Path volume = directory.resolve("volume");
        fake.reassemble(snapshotId, volume);
        byte[] expected = Files.readAllBytes(deployments.image);
        try (var in = Files.newInputStream(volume)) {
            assertArrayEquals(expected, in.readNBytes(expected.length));
        }
    }

    /** The process that is ended. */
    static final class Deploying {
        private Deploying() {}

        public static void main(String[] arguments) throws CloudException {
            Deployments deployments = new Deployments(Path.of(arguments[1]));
            deployments.resume = Boolean.parseBoolean(arguments[2]);
            deployments.workers = 2;
            CredentialSource keys =
                    CredentialSource.keys("test", FakeAws.ACCESS_KEY, FakeAws.SECRET_KEY, Optional.empty());
            try (AwsAccess access = new AwsAccess(
                    keys, Optional.of(URI.create(arguments[0])), Optional.empty(), Duration.ofSeconds(20))) {
                System.out.println(
                        new AmiDeployer(access, deployments.spec(), deployments.log, new Deployments.Silent())
                                .deploy(List.of(Deployments.REGION)));
            }
        }
    }
}
