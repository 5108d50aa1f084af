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
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

    private LaunchSpec spec(Optional<String> type, List<String> groups, Optional<byte[]> userData, int port, Duration timeout) {
        return new LaunchSpec(imageId, "shop", type, groups, List.of(port, 443), "192.0.2.0/24", Optional.empty(), userData, Optional.of("/health"), timeout, false);
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
    void launchesTheSmallestTypeAndWaitsForHealth() throws Exception {
        fake.trouble(new Trouble(4, 0.3, 10));
        byte[] data = "GREETING=hi\n".getBytes(StandardCharsets.UTF_8);
        LaunchRecord launched = launch(spec(Optional.empty(), List.of(), Optional.of(data), port(), Duration.ofSeconds(60)));

        FakeInstance instance = region.instances.get(launched.instanceId());
        assertEquals(1, region.instances.size());
        assertEquals("t1.micro", instance.fields.get("InstanceType"));
        assertEquals(imageId, instance.fields.get("ImageId"));
        assertArrayEquals(data, Base64.getDecoder().decode(instance.fields.get("UserData")));
        assertFalse(instance.fields.containsKey("KeyName"));
        FakeRegion.FakeGroup group = region.groups.get(launched.createdGroupId());
        assertEquals(List.of("tcp " + port() + "-" + port() + " 192.0.2.0/24", "tcp 443-443 192.0.2.0/24"), group.rules);
        assertEquals("http://127.0.0.1:" + port() + "/", launched.url());
        assertEquals(3, asked.get());
        assertEquals(Optional.of(launched), LaunchRecord.load(record()));
    }

    @Test
    void terminatesWhatLaunchCreated() throws Exception {
        LaunchRecord launched = launch(spec(Optional.of("m3.medium"), List.of(), Optional.empty(), port(), Duration.ofSeconds(60)));
        try (AwsAccess access = deployments.access(fake)) {
            new Instances(access, Deployments.REGION, Duration.ofSeconds(30), deployments.log).terminate(launched);
        }
        assertEquals("terminated", region.instances.get(launched.instanceId()).state);
        assertTrue(region.groups.isEmpty());
    }

    @Test
    void showsTheConsoleAndTakesDownWhatDidNotAnswer() {
        region.console = "unikernel: panic: no root\n";
        application.removeContext("/health");
        CloudException failure = assertThrows(CloudException.class,
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
        CloudException failure = assertThrows(CloudException.class,
                () -> launch(spec(Optional.of("t3.micro"), List.of("sg-given"), Optional.empty(), port(), Duration.ofSeconds(10))));
        assertEquals(Reason.SETTING, failure.reason());
        assertTrue(failure.getMessage().contains("t1.micro, m1.small, m3.medium"), failure.getMessage());
        assertTrue(region.instances.isEmpty() && region.groups.isEmpty());
    }

    @Test
    void refusesTooMuchUserData() {
        CloudException failure = assertThrows(CloudException.class,
                () -> launch(spec(Optional.empty(), List.of("sg-given"), Optional.of(new byte[16_385]), port(), Duration.ofSeconds(10))));
        assertEquals(Reason.SETTING, failure.reason());
    }

    @Test
    void readsTheConsole() throws Exception {
        region.console = "Grüße vom Kern\n".repeat(200);
        LaunchRecord launched = launch(spec(Optional.empty(), List.of("sg-given"), Optional.empty(), port(), Duration.ofSeconds(60)));
        try (AwsAccess access = deployments.access(fake)) {
            assertEquals(region.console, new Instances(access, Deployments.REGION, Duration.ofSeconds(10), deployments.log).console(launched.instanceId()));
        }
    }

    @Test
    void aDamagedRecordIsAnErrorNotNothing() throws IOException {
        Files.writeString(record(), "{");
        assertEquals(Reason.SETTING, assertThrows(CloudException.class, () -> LaunchRecord.load(record())).reason());
    }
}
