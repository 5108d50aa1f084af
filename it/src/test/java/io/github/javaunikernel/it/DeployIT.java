// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.javaunikernel.maven.aws.fake.FakeAws;
import io.github.javaunikernel.maven.aws.fake.FakeRegion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code mvn deploy} of a fresh scaffold, several times, against a stand-in for the cloud: what that received boots in
 * each way in which EC2 boots it and answers, and no secret is left anywhere. Each deploy takes its credentials from
 * another source.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class DeployIT {

    private static final String REGION = "eu-west-1";
    private static final String PROXY_PASSWORD = "proxySecretDoNotPrint/42";
    private static final String MASTER_PASSWORD = "masterSecretDoNotPrint/43";
    private static final int TERMINATED = 143;
    private static final String HELLO = "Hello from a unikernel\n";

    @TempDir
    static Path work;

    private final List<String> logs = new ArrayList<>();
    private FakeAws fake;
    private Path project;
    private CloudFiles files;
    /** What EC2 makes of the first deploy's snapshot. */
    private Path volume;

    @BeforeAll
    void generate() throws IOException, InterruptedException {
        fake = new FakeAws();
        files = new CloudFiles(Files.createDirectory(work.resolve("cloud")));
        project = Scaffold.generate(Files.createDirectory(work.resolve("project")));
    }

    @AfterAll
    void close() {
        if (fake != null) {
            fake.close();
        }
    }

    @Test
    @Order(10)
    void whatTheCloudReceivedBootsAndAnswers() throws IOException, InterruptedException {
        files.settings(MASTER_PASSWORD, FakeAws.ACCESS_KEY, FakeAws.SECRET_KEY);
        JsonObject result = deploy("-Dunikernel.aws.server=cloud");

        assertEquals("created", result.get("status").getAsString());
        FakeRegion.FakeImage image =
                fake.region(REGION).images.get(result.get("imageId").getAsString());
        assertEquals("hvm", image.fields.get("VirtualizationType"));
        assertEquals("/dev/sda1", image.fields.get("RootDeviceName"));
        assertEquals(result.get("snapshotId").getAsString(), image.fields.get("BlockDeviceMapping.1.Ebs.SnapshotId"));
        volume = volume(result);
        assertEquals(HELLO, answerOf(Platform.QEMU, "--bios", "0", "--disk-type", "nvme"));
    }

    /** The same snapshot, as a paravirtual AMI boots it. */
    @Test
    @Order(11)
    void whatTheCloudReceivedBootsThroughPvGrub() throws IOException, InterruptedException {
        assertEquals(HELLO, answerOf(Platform.XEN_PVGRUB, "--pvgrub", "--root-name", "sda1"));
    }

    /** The same snapshot, as an HVM AMI boots on types with Xen devices. */
    @Test
    @Order(12)
    @Tag("platforms")
    void whatTheCloudReceivedBootsFromTheBiosOfAXenGuest() throws IOException, InterruptedException {
        assertEquals(HELLO, answerOf(Platform.XEN_PVH, "--hvm"));
    }

    @Test
    @Order(20)
    void anUnchangedImageMakesNoNewAmi() throws IOException, InterruptedException {
        String before = result().get("imageId").getAsString();
        files.profile(FakeAws.ACCESS_KEY, FakeAws.SECRET_KEY);
        JsonObject result = deploy("-Dunikernel.aws.profile=work");

        assertEquals("unchanged", result.get("status").getAsString());
        assertEquals(before, result.get("imageId").getAsString());
        assertEquals(1, fake.region(REGION).images.size());
    }

    /** With a role that is assumed, so a session token is in play, and through a proxy. */
    @Test
    @Order(30)
    void aChangedClassSendsFewBlocks() throws IOException, InterruptedException {
        JsonObject before = result();
        Path source = project.resolve("src/main/java/org/example/Main.java");
        Files.writeString(source, Files.readString(source).replace("\"Stopping\"", "\"Stopping now\""));
        JsonObject result;
        try (LoopbackProxy proxy = new LoopbackProxy("builder", PROXY_PASSWORD)) {
            files.proxy(proxy.port(), "builder", PROXY_PASSWORD);
            result = deploy(
                    "-Dunikernel.aws.profile=work",
                    "-Dunikernel.aws.role=arn:aws:iam::" + FakeAws.ACCOUNT + ":role/deployer");
            assertTrue(
                    proxy.forwarded() > result.get("blocksSent").getAsInt(),
                    proxy.forwarded() + " requests through the proxy");
        }

        assertEquals("created", result.get("status").getAsString());
        assertNotEquals(before.get("imageId"), result.get("imageId"));
        assertEquals(before.get("snapshotId"), result.get("parentSnapshotId"));
        int blocks = result.get("blocks").getAsInt();
        int sent = result.get("blocksSent").getAsInt();
        assertTrue(sent > 0 && sent < blocks / 4, sent + " of " + blocks + " blocks sent");
        byte[] image = Files.readAllBytes(Scaffold.product(project, ".img"));
        assertTrue(
                Arrays.equals(image, Arrays.copyOf(Files.readAllBytes(volume(result)), image.length)),
                "the volume is not the image");
    }

    @Test
    @Order(40)
    void singleSignOnDeploys() throws IOException, InterruptedException {
        files.withoutProxy();
        JsonObject result;
        try (SingleSignOn service =
                new SingleSignOn(FakeAws.ROLE_ACCESS_KEY, FakeAws.ROLE_SECRET_KEY, FakeAws.ROLE_TOKEN)) {
            files.singleSignOn(service);
            result = deploy("-Dunikernel.aws.profile=sso");
            assertEquals(1, service.asked());
        }
        assertEquals("unchanged", result.get("status").getAsString());
    }

    /** The other form of image, from the disk that Nitro has. */
    @Test
    @Order(50)
    @Tag("platforms")
    void anImageForUefiBootsAndAnswers() throws IOException, InterruptedException {
        Maven.run(project, Map.of(), "package", "-Dunikernel.firmware=uefi");
        volume = Scaffold.product(project, ".img");
        assertEquals(HELLO, answerOf(Platform.QEMU, "--uefi", "0", "--disk-type", "nvme"));
    }

    /** Last, when all there is to leak has been used. */
    @Test
    @Order(1000)
    void noSecretIsLeftAnywhere() throws IOException {
        Secrets secrets = new Secrets(List.of(
                FakeAws.SECRET_KEY,
                FakeAws.ROLE_SECRET_KEY,
                FakeAws.ROLE_TOKEN,
                PROXY_PASSWORD,
                MASTER_PASSWORD,
                SingleSignOn.TOKEN));
        assertEquals(4, logs.size());
        for (String log : logs) {
            assertTrue(log.contains("[DEBUG]"), "a build that did not log in detail");
            assertEquals(List.of(), secrets.in(log));
        }
        assertEquals(List.of(), secrets.below(project));
        assertEquals(List.of(), secrets.below(work.resolve("state")));
    }

    private JsonObject deploy(String... credentials) throws IOException, InterruptedException {
        List<String> arguments = new ArrayList<>(List.of(
                "-X",
                "deploy",
                "-gs",
                files.settings().toString(),
                "-Dsettings.security=" + files.security(),
                "-Dunikernel.aws.endpoint=" + fake.endpoint(),
                "-Dunikernel.ami.regions=" + REGION,
                "-Dunikernel.ami.stateDirectory=" + work.resolve("state")));
        arguments.addAll(List.of(credentials));
        Map<String, String> environment = new HashMap<>(files.environment());
        environment.put("AWS_EC2_METADATA_DISABLED", "true");
        logs.add(Maven.run(project, environment, arguments.toArray(String[]::new)));
        return result();
    }

    private JsonObject result() throws IOException {
        return JsonParser.parseString(Files.readString(Scaffold.product(project, ".ami.json")))
                .getAsJsonArray()
                .get(0)
                .getAsJsonObject();
    }

    /** The volume that EC2 would make of the snapshot. */
    private Path volume(JsonObject result) throws IOException {
        Path volume = work.resolve(result.get("snapshotId").getAsString() + ".volume");
        fake.reassemble(result.get("snapshotId").getAsString(), volume);
        return volume;
    }

    private String answerOf(Platform platform, String... options) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(options));
        all.addAll(List.of("--memory", "128", "--disk", volume.toString()));
        try (Lab lab = Lab.start("DeployIT-" + platform, platform, all)) {
            lab.await("Listening on port 8080", GuestSuite.BOOT);
            String answer = HttpConnection.get(lab.port(), "/");
            lab.command("shutdown");
            assertEquals(TERMINATED, lab.exitStatus(GuestSuite.END));
            return answer;
        }
    }
}
