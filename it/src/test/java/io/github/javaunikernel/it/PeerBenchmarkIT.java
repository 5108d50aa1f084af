// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.javaunikernel.it.app.Pattern;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The guest kernel beside Linux: same machine, JVM and application, alternating, in seconds of the guest's CPU, which
 * other work on this machine disturbs less than the clock. Prints the medians and their ratio as a table; how small a
 * ratio has to be, people judge. {@code -Dpeer.rounds=N} measures each N times.
 */
@Tag("peer")
@Timeout(value = 6, unit = TimeUnit.HOURS)
class PeerBenchmarkIT {

    private static final int ROUNDS = Integer.getInteger("peer.rounds");
    private static final int REQUESTS = 2000;
    private static final int SIZE = 1000;
    private static final long TRANSFER = 50L << 20;

    @ParameterizedTest
    @CsvSource({"QEMU, LINUX_QEMU", "XEN_PV, LINUX"})
    void compare(Platform unikernel, Platform linux) throws IOException {
        Map<String, List<Double>> ours = new LinkedHashMap<>();
        Map<String, List<Double>> theirs = new LinkedHashMap<>();
        for (int i = 0; i < ROUNDS; i++) {
            measure(unikernel, "unikernel: timing exec=", ours);
            measure(linux, "peer: exec", theirs);
        }
        System.out.printf(
                "| CPU seconds on %s, medians of %d | unikernel | Linux | ratio |%n| --- | --- | --- | --- |%n",
                unikernel, ROUNDS);
        ours.forEach((step, seconds) -> System.out.printf(
                Locale.ROOT,
                "| %s | %.2f | %.2f | %.2f |%n",
                step,
                median(seconds),
                median(theirs.get(step)),
                median(seconds) / median(theirs.get(step))));
    }

    private static double median(List<Double> values) {
        return values.stream().sorted().toList().get(values.size() / 2);
    }

    private static void measure(Platform platform, String started, Map<String, List<Double>> results)
            throws IOException {
        try (Lab lab = Lab.start(
                "peer-" + platform, platform, platform.options(Lab.images().resolve("lab-app")))) {
            Steps steps = new Steps(lab, results);
            int port = lab.port();
            lab.await(started, GuestSuite.BOOT);
            steps.done("boot to the start of the JVM");
            lab.await("app: listening", GuestSuite.BOOT);
            steps.done("from there to listening");
            HttpConnection.get(port, "/hello");
            steps.done("first response");
            try (HttpConnection connection = new HttpConnection(port)) {
                for (int i = 0; i < REQUESTS; i++) {
                    request(connection, i);
                }
            }
            steps.done(REQUESTS + " requests, one connection");
            for (int i = 0; i < REQUESTS; i++) {
                try (HttpConnection connection = new HttpConnection(port)) {
                    request(connection, i);
                }
            }
            steps.done(REQUESTS + " requests, each a connection");
            try (HttpConnection connection = new HttpConnection(port)) {
                assertEquals(TRANSFER, connection.open("/bytes?seed=1&n=" + TRANSFER));
                connection.body().skipNBytes(TRANSFER);
            }
            steps.done("50 MB to the client");
            try (HttpConnection connection = new HttpConnection(port);
                    InputStream content = new Pattern(2, TRANSFER)) {
                connection.post("/upload", content, TRANSFER);
            }
            steps.done("50 MB from the client, hashed");
        }
    }

    private static void request(HttpConnection connection, int seed) throws IOException {
        assertEquals(SIZE, connection.bytes("/bytes?seed=" + seed + "&n=" + SIZE).length);
    }

    /** The CPU seconds between one call and the next. */
    private static final class Steps {
        private final Lab lab;
        private final Map<String, List<Double>> results;
        private double before;

        Steps(Lab lab, Map<String, List<Double>> results) {
            this.lab = lab;
            this.results = results;
        }

        void done(String step) {
            double now = lab.cpuSeconds();
            results.computeIfAbsent(step, s -> new ArrayList<>()).add(now - before);
            before = now;
        }
    }
}
