// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.aws.fake.FakeAws;
import io.github.javaunikernel.maven.aws.fake.FakeRegion;
import io.github.javaunikernel.maven.aws.fake.FakeRegion.FakeInstance;
import io.github.javaunikernel.maven.aws.fake.Trouble;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LauncherTest {
    @TempDir
    Path directory;

    private FakeAws fake;
    private FakeRegion region;
    private Deployments deployments;
    private HttpServer application;
    private final AtomicInteger asked = new AtomicInteger();
    private String imageId;

    @BeforeEach
    void start() throws Exception {
        fake = new FakeAws();
        region = fake.region(Deployments.REGION);
        deployments = new Deployments(directory);
        deployments.writeImage(1, 3);
        imageId = deployments.deployOne(fake).imageId();
        application = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        application.createContext("/health", exchange -> {
            exchange.sendResponseHeaders(asked.incrementAndGet() < 3 ? 503 : 200, -1);
            exchange.close();
        });
        application.start();
    }

    @AfterEach
    void stop() {
        application.stop(0);
        fake.close();
    }

    private LaunchSpec spec(
            Optional<String> type, List<String> groups, Optional<byte[]> userData, int port, Duration timeout) {
        return spec(1, type, false, groups, userData, port, "/health", timeout);
    }

    private LaunchSpec spec(
            int count,
            Optional<String> type,
            boolean spot,
            List<String> groups,
            Optional<byte[]> userData,
            int port,
            String healthPath,
            Duration timeout) {
        return new LaunchSpec(
                imageId,
                new MachineSize(256, 1, 0),
                "org.example:shop",
                Map.of("Name", "shop"),
                count,
                type,
                spot,
                spot ? Optional.of("shop-role") : Optional.empty(),
                new LaunchSpec.Network(groups, List.of(port, 443), "192.0.2.0/24", Optional.empty()),
                userData,
                Optional.of(healthPath),
                timeout,
                false);
    }

    private LaunchRecord launch(LaunchSpec spec) throws CloudException {
        try (AwsAccess access = deployments.access(fake)) {
            return new Launcher(access, Deployments.REGION, spec, record(), deployments.log).launch();
        }
    }

    private Path record() {
        return directory.resolve("shop.launch.json");
    }

    private int port() {
        return application.getAddress().getPort();
    }

    @Test
    void launchesTheCheapestTypeAndWaitsForHealth() throws Exception {
        fake.trouble(new Trouble(4, 0.3, 10));
        byte[] data = "GREETING=hi\n".getBytes(StandardCharsets.UTF_8);
        LaunchRecord launched =
                launch(spec(Optional.empty(), List.of(), Optional.of(data), port(), Duration.ofSeconds(60)));

        FakeInstance instance = region.instances.get(launched.instances().get(0).instanceId());
        assertEquals(1, region.instances.size());
        assertEquals("t1.micro", instance.fields.get("InstanceType"));
        assertEquals(imageId, instance.fields.get("ImageId"));
        assertArrayEquals(data, Base64.getDecoder().decode(instance.fields.get("UserData")));
        assertFalse(instance.fields.containsKey("KeyName"));
        FakeRegion.FakeGroup group = region.groups.get(launched.createdGroupId());
        assertEquals(
                List.of("tcp " + port() + "-" + port() + " 192.0.2.0/24", "tcp 443-443 192.0.2.0/24"), group.rules);
        assertEquals(
                "http://127.0.0.1:" + port() + "/", launched.instances().get(0).url());
        assertEquals(Map.of("Name", "shop", "unikernel:project", "org.example:shop"), instance.tags);
        assertEquals(3, asked.get());
        assertEquals(Optional.of(launched), LaunchRecord.load(record()));
    }

    @Test
    void terminatesWhatLaunchCreated() throws Exception {
        LaunchRecord launched =
                launch(spec(Optional.of("m3.medium"), List.of(), Optional.empty(), port(), Duration.ofSeconds(60)));
        try (AwsAccess access = deployments.access(fake)) {
            new Instances(access, Deployments.REGION, Duration.ofSeconds(30), deployments.log).terminate(launched);
        }
        assertEquals(
                "terminated", region.instances.get(launched.instances().get(0).instanceId()).state);
        assertTrue(region.groups.isEmpty());
    }

    @Test
    void showsTheConsoleAndTakesDownWhatDidNotAnswer() {
        region.console = "unikernel: panic: no root\n";
        application.removeContext("/health");
        CloudException failure = assertThrows(
                CloudException.class,
                () -> launch(spec(Optional.empty(), List.of(), Optional.empty(), port(), Duration.ofSeconds(3))));

        assertEquals(Reason.DEADLINE, failure.reason());
        assertTrue(failure.getMessage().contains("status 404"), failure.getMessage());
        assertTrue(deployments.log.lines.stream().anyMatch(line -> line.contains("unikernel: panic: no root")));
        assertEquals("terminated", region.instances.values().iterator().next().state);
        assertTrue(region.groups.isEmpty());
        assertFalse(Files.exists(record()));
    }

    @Test
    void refusesATypeThatCannotRunIt() {
        CloudException failure = assertThrows(
                CloudException.class,
                () -> launch(spec(
                        Optional.of("t3.micro"),
                        List.of("sg-given"),
                        Optional.empty(),
                        port(),
                        Duration.ofSeconds(10))));
        assertEquals(Reason.SETTING, failure.reason());
        assertEquals(
                "Instance type t3.micro does not run this paravirtual image in eu-west-1, or is too small for it."
                        + " [parameter instanceType, -Dunikernel.launch.instanceType] Choose one of t1.micro, m1.small,"
                        + " m3.medium, c1.medium, c3.xlarge.",
                failure.getMessage());
        assertTrue(region.instances.isEmpty() && region.groups.isEmpty());
    }

    @Test
    void refusesTooMuchUserData() {
        CloudException failure = assertThrows(
                CloudException.class,
                () -> launch(spec(
                        Optional.empty(),
                        List.of("sg-given"),
                        Optional.of(new byte[16_385]),
                        port(),
                        Duration.ofSeconds(10))));
        assertEquals(Reason.SETTING, failure.reason());
    }

    @Test
    void launchesSeveralAtTheSpotPriceWithARole() throws Exception {
        LaunchRecord launched = launch(spec(
                2,
                Optional.empty(),
                true,
                List.of("sg-given"),
                Optional.empty(),
                port(),
                "/health",
                Duration.ofSeconds(60)));

        assertEquals(2, launched.instances().size());
        assertEquals(2, region.instances.size());
        FakeInstance instance = region.instances.get(launched.instances().get(1).instanceId());
        assertEquals("spot", instance.fields.get("InstanceMarketOptions.MarketType"));
        assertEquals(
                "terminate", instance.fields.get("InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior"));
        assertEquals("shop-role", instance.fields.get("IamInstanceProfile.Name"));
        assertEquals(4, asked.get(), "the second one is asked too");
        try (AwsAccess access = deployments.access(fake)) {
            new Instances(access, Deployments.REGION, Duration.ofSeconds(30), deployments.log).terminate(launched);
        }
        assertTrue(region.instances.values().stream().allMatch(one -> one.state.equals("terminated")));
    }

    @Test
    void listsWhatRunsOfTheProject() throws Exception {
        LaunchRecord launched = launch(
                spec(Optional.of("m3.medium"), List.of("sg-given"), Optional.empty(), port(), Duration.ofSeconds(60)));
        String id = launched.instances().get(0).instanceId();
        region.instances.get(id).launched = Instant.parse("2026-11-01T10:00:00Z");
        try (AwsAccess access = deployments.access(fake)) {
            Instances instances = new Instances(access, Deployments.REGION, Duration.ofSeconds(30), deployments.log);
            assertEquals(List.of(), instances.ofProject("org.example:other"));
            assertEquals(
                    List.of(
                            "INSTANCE             IMAGE                  TYPE       STATE    ADDRESS    AGE "
                                    + "     $/HOUR",
                            id + "  " + imageId + "  m3.medium  running  127.0.0.1  1 d 2 h  0.0670"),
                    InstanceTable.lines(
                            instances.ofProject("org.example:shop"), Instant.parse("2026-11-02T12:30:00Z")));
            instances.terminate(launched);
            assertEquals(List.of(), instances.ofProject("org.example:shop"));
        }
    }

    @Test
    void launchesAnHvmImageOnTheCheapestType() throws Exception {
        deployHvm();

        LaunchRecord launched =
                launch(spec(Optional.empty(), List.of("sg-given"), Optional.empty(), port(), Duration.ofSeconds(60)));

        FakeInstance instance = region.instances.get(launched.instances().get(0).instanceId());
        assertEquals("t3a.nano", instance.fields.get("InstanceType"));
    }

    private void deployHvm() throws Exception {
        deployments.kinds = List.of(Virtualization.HVM);
        deployments.name = "shop-hvm";
        deployments.writeBootSector();
        imageId = deployments.deployOne(fake).imageId();
    }

    @Test
    void refusesAnUnknownImage() {
        imageId = "ami-00000000000000bad";
        CloudException failure = assertThrows(
                CloudException.class,
                () -> launch(
                        spec(Optional.empty(), List.of("sg-given"), Optional.empty(), port(), Duration.ofSeconds(10))));
        assertEquals(
                "There is no image ami-00000000000000bad in eu-west-1 that this account may use."
                        + " [parameter imageId, -Dunikernel.launch.imageId] Name another one, or another region.",
                failure.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"health", "/a path", "//host/health", "http://host/"})
    void refusesAHealthPathThatIsNone(String path) {
        CloudException failure = assertThrows(
                CloudException.class,
                () -> launch(spec(
                        1,
                        Optional.empty(),
                        false,
                        List.of(),
                        Optional.empty(),
                        port(),
                        path,
                        Duration.ofSeconds(10))));
        assertEquals(
                "\"" + path + "\" is not a path of a URL. [parameter healthPath, -Dunikernel.healthPath]"
                        + " Begin it with '/' and write %20 for a space, or use none.",
                failure.getMessage());
    }

    @Test
    void refusesNoInstancesAndNoPorts() {
        assertTrue(assertThrows(
                        CloudException.class,
                        () -> launch(spec(
                                0,
                                Optional.empty(),
                                false,
                                List.of(),
                                Optional.empty(),
                                port(),
                                "/",
                                Duration.ofSeconds(10))))
                .getMessage()
                .startsWith("0 instances cannot be launched. [parameter count"));
        assertTrue(assertThrows(
                        CloudException.class,
                        () -> launch(spec(
                                1,
                                Optional.empty(),
                                false,
                                List.of(),
                                Optional.empty(),
                                70_000,
                                "/",
                                Duration.ofSeconds(10))))
                .getMessage()
                .startsWith("70000 is not a TCP port. [parameter ports"));
        assertTrue(region.instances.isEmpty() && region.groups.isEmpty());
    }

    @Test
    void readsTheConsole() throws Exception {
        region.console = "Grüße vom Kern\n".repeat(200);
        LaunchRecord launched =
                launch(spec(Optional.empty(), List.of("sg-given"), Optional.empty(), port(), Duration.ofSeconds(60)));
        try (AwsAccess access = deployments.access(fake)) {
            assertEquals(
                    region.console,
                    new Instances(access, Deployments.REGION, Duration.ofSeconds(10), deployments.log)
                            .console(launched.instances().get(0).instanceId()));
        }
    }

    @Test
    void aDamagedRecordIsAnErrorNotNothing() throws IOException {
        Files.writeString(record(), "{");
        assertDamaged();
        Files.writeString(record(), "{\"region\": \"eu-west-1\", \"instanceId\": \"i-1\"}");
        assertDamaged();
    }

    private void assertDamaged() {
        assertEquals(
                record() + " is not the record of a launch that this version wrote. [parameter instance,"
                        + " -Dunikernel.instance]"
                        + " Terminate what mvn unikernel:list shows by naming it, and delete the file.",
                assertThrows(CloudException.class, () -> LaunchRecord.load(record()))
                        .getMessage());
    }

    @Test
    void anImageForUefiRunsOnNitroOnly() throws Exception {
        deployments.kinds = List.of(Virtualization.HVM);
        deployments.name = "shop-uefi";
        deployments.writePartitionTable();
        imageId = deployments.deployOne(fake).imageId();
        LaunchRecord launched =
                launch(spec(Optional.empty(), List.of(), Optional.empty(), port(), Duration.ofSeconds(60)));
        assertEquals("t3a.nano", launched.instanceType());
        CloudException failure = assertThrows(
                CloudException.class,
                () -> launch(
                        spec(Optional.of("t2.micro"), List.of(), Optional.empty(), port(), Duration.ofSeconds(60))));
        assertTrue(failure.getMessage().startsWith("Instance type t2.micro does not run this hvm image"));
    }
}
