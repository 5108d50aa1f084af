// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.it.app.Pattern;
import io.github.javaunikernel.it.app.Survey;
import java.io.IOException;
import java.io.InputStream;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/**
 * What every platform has to do, on one guest booted once. A subclass names the platform and the image, and adds how
 * its guest ends.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
abstract class GuestSuite {

    /** How long a guest may be silent: on a machine of its own it is heard of after seconds, and others are slower. */
    static final Duration BOOT = Duration.ofMinutes(15);

    static final Duration END = Duration.ofMinutes(10);

    private static final long TRANSFER = 50L << 20;
    private static final int TOGETHER = 200;
    private static final int REQUESTS = 2000;
    private static final int LARGEST = 3000;

    Lab lab;
    int port;

    /** What the guest printed last goes with a failure of any kind. */
    @RegisterExtension
    final TestExecutionExceptionHandler console = (context, failure) -> {
        System.out.println(context.getDisplayName() + " failed. " + lab.lastLines());
        throw failure;
    };

    private final Platform platform;
    private final String image;

    GuestSuite(Platform platform, String image) {
        this.platform = platform;
        this.image = image;
    }

    public final int port() {
        return port;
    }

    @BeforeAll
    void boot() throws IOException {
        lab = Lab.start(
                getClass().getSimpleName(),
                platform,
                platform.options(Lab.images().resolve(image)));
        port = lab.port();
        lab.await("app: listening", BOOT);
    }

    @AfterAll
    void end() {
        if (lab != null) {
            lab.close();
        }
    }

    @Test
    @Order(10)
    void answersWithWhatWasBakedIn() throws IOException {
        assertEquals("Hello from the lab", HttpConnection.get(port, "/hello"));
    }

    @Test
    @Order(20)
    void answersOverOneConnectionByteForByte() throws IOException {
        Random sizes = new Random(1);
        try (HttpConnection connection = new HttpConnection(port)) {
            for (int i = 0; i < REQUESTS / 2; i++) {
                checkBytes(connection, i, sizes.nextInt(LARGEST));
            }
        }
    }

    @Test
    @Order(30)
    void answersOverNewConnectionsByteForByte() throws IOException {
        Random sizes = new Random(2);
        for (int i = 0; i < REQUESTS / 2; i++) {
            try (HttpConnection connection = new HttpConnection(port)) {
                checkBytes(connection, i, sizes.nextInt(LARGEST));
            }
        }
    }

    private static void checkBytes(HttpConnection connection, long seed, int size) throws IOException {
        byte[] answer = connection.bytes("/bytes?seed=" + seed + "&n=" + size);
        assertArrayEquals(Pattern.bytes(seed, size), answer, () -> "seed " + seed + ", " + size + " bytes");
    }

    /**
     * Each answer comes only when all requests have come, so they really are in the guest at once. The connections are
     * made one after the other: QEMU's forwarding queues but one new connection, and those beyond wait for seconds.
     */
    @Test
    @Order(40)
    void serves200ConnectionsAtOnce() throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(TOGETHER);
        List<HttpConnection> connections = new ArrayList<>();
        try {
            for (int i = 0; i < TOGETHER; i++) {
                connections.add(new HttpConnection(port));
                assertEquals("Hello from the lab", connections.get(i).text("/hello"));
            }
            List<Future<String>> answers = new ArrayList<>();
            for (HttpConnection connection : connections) {
                answers.add(clients.submit(() -> connection.text("/meet?n=" + TOGETHER)));
            }
            for (Future<String> answer : answers) {
                assertEquals("met " + TOGETHER, answer.get());
            }
        } finally {
            clients.shutdownNow();
            for (HttpConnection connection : connections) {
                connection.close();
            }
        }
    }

    @Test
    @Order(50)
    void sends50Megabytes() throws Exception {
        MessageDigest expected = MessageDigest.getInstance("SHA-256");
        MessageDigest received = MessageDigest.getInstance("SHA-256");
        try (HttpConnection connection = new HttpConnection(port);
                Pattern pattern = new Pattern(50, TRANSFER)) {
            assertEquals(TRANSFER, connection.open("/bytes?seed=50&n=" + TRANSFER));
            assertEquals(TRANSFER, digest(connection.body(), TRANSFER, received));
            digest(pattern, TRANSFER, expected);
        }
        assertArrayEquals(expected.digest(), received.digest());
    }

    private static long digest(InputStream in, long limit, MessageDigest digest) throws IOException {
        byte[] buffer = new byte[65536];
        long total = 0;
        while (total < limit) {
            int count = in.read(buffer, 0, (int) Math.min(buffer.length, limit - total));
            if (count < 0) {
                return total;
            }
            digest.update(buffer, 0, count);
            total += count;
        }
        return total;
    }

    @Test
    @Order(60)
    void receives50Megabytes() throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        String answer;
        try (HttpConnection connection = new HttpConnection(port);
                InputStream content = new DigestInputStream(new Pattern(60, TRANSFER), digest)) {
            answer = connection.post("/upload", content, TRANSFER);
        }
        assertEquals(HexFormat.of().formatHex(digest.digest()) + " " + TRANSFER, answer);
    }

    @Test
    @Order(70)
    void turnsFaultsIntoExceptions() throws IOException {
        assertEquals("100000", HttpConnection.get(port, "/npe?n=100000"));
        assertEquals("20000", HttpConnection.get(port, "/div?n=20000"));
        assertEquals("50", HttpConnection.get(port, "/soe?n=50"));
    }

    @Test
    @Order(80)
    void writesToMemoryOnly() throws IOException {
        assertEquals("same", HttpConnection.get(port, "/scratch?n=1000000"));
        assertTrue(HttpConnection.get(port, "/file?path=/proc/self/maps").contains("libjvm.so"));
    }

    /** The JDK lists file stores by /etc/mtab, which a container may lack and the guest does not. */
    @Test
    @Order(85)
    void theJdkFindsWhatItFindsOnLinux() throws IOException {
        List<String> expected = Survey.lines().stream()
                .map(line -> line.equals("file stores: false") ? "file stores: true" : line)
                .toList();
        assertEquals(expected, HttpConnection.get(port, "/survey").lines().toList());
    }

    /** The host's clock is the emulated machine's, so both tell the same time. */
    @Test
    @Order(90)
    void tellsTheTime() throws IOException {
        long before = System.currentTimeMillis();
        long guest = Long.parseLong(HttpConnection.get(port, "/time").split(" ")[0]);
        long after = System.currentTimeMillis();
        assertTrue(guest > before - 3000 && guest < after + 3000, "guest " + guest + ", host " + before + ".." + after);

        long slept = Long.parseLong(HttpConnection.get(port, "/sleep?ms=300"));
        assertTrue(slept >= 300_000_000L, slept + " ns instead of 300 ms");
    }

    @Test
    @Order(100)
    void sigquitDumpsThreads() throws IOException {
        int position = lab.position();
        lab.command(platform.threadDumpCommand());
        lab.await(position, "Full thread dump OpenJDK 64-Bit Server VM", END);
        lab.await(position, "\"HTTP-Dispatcher\"", END);
        lab.await(position, "JNI global ref", END);
        assertEquals("Hello from the lab", HttpConnection.get(port, "/hello"));
    }
}
