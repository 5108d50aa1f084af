// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The smallest machine on which a fresh scaffold with class data boots and serves, found by halving. Takes some
 * minutes.
 */
@Tag("memory")
@Timeout(value = 6, unit = TimeUnit.HOURS)
class SmallestMemoryIT {

    /** MiB that cannot suffice, and the exactness. */
    private static final int TOO_LITTLE = 16;

    private static final int STEP = 2;
    /** The least the plugin makes an image for; a smaller machine boots that one. */
    private static final int LEAST_IMAGE = 24;

    private static final int REQUESTS = 300;
    private static final int TERMINATED = 143;

    /** Shorter than elsewhere: a guest with too little memory may well hang. */
    private static final Duration SILENCE = Duration.ofMinutes(5);

    @TempDir
    static Path work;

    private static Path project;

    @BeforeAll
    static void generate() throws IOException, InterruptedException {
        project = Scaffold.generate(work);
        Maven.run(
                project,
                Map.of(),
                "unikernel:train",
                "-DskipTests",
                "-Dunikernel.trainPaths=/,/api/system",
                "-Dunikernel.start.timeout=36000",
                "-Dunikernel.stop.timeout=36000");
    }

    /** The limits are what README.md and start-up.md promise. */
    @ParameterizedTest
    @CsvSource({"QEMU, fixed, 24", "QEMU, random, 26", "XEN_PV, fixed, 24", "XEN_PV, random, 28"})
    void isAtMost(Platform platform, String address, int limit) throws IOException, InterruptedException {
        assertTrue(serves(platform, address, limit), "not with " + limit + " MiB");
        int enough = limit;
        int tooLittle = TOO_LITTLE;
        while (enough - tooLittle > STEP) {
            int middle = tooLittle + (enough - tooLittle) / 2 / STEP * STEP;
            if (serves(platform, address, middle)) {
                enough = middle;
            } else {
                tooLittle = middle;
            }
        }
        System.out.println("smallest memory: " + enough + " MiB on " + platform + " with cdsAddress=" + address);
    }

    /** The image is made again for each size, since its JVM options follow from the memory. */
    private static boolean serves(Platform platform, String address, int memory)
            throws IOException, InterruptedException {
        Maven.run(
                project,
                Map.of(),
                "-q",
                "package",
                "-DskipTests",
                "-Dunikernel.cdsAddress=" + address,
                "-Dunikernel.memory=" + Math.max(memory, LEAST_IMAGE));
        List<String> options = new ArrayList<>(platform.options(Scaffold.product(project, "")));
        options.addAll(List.of("--memory", Integer.toString(memory)));
        try (Lab lab = Lab.start("memory-" + platform + "-" + address + "-" + memory, platform, options)) {
            lab.await("Listening on port 8080", SILENCE);
            for (int i = 0; i < REQUESTS / 2; i++) {
                assertEquals("Hello from a unikernel\n", HttpConnection.get(lab.port(), "/"));
            }
            try (HttpConnection connection = new HttpConnection(lab.port())) {
                for (int i = 0; i < REQUESTS / 2; i++) {
                    assertTrue(connection.text("/api/system").contains("uptimeMillis"));
                }
            }
            lab.command("shutdown");
            return lab.exitStatus(SILENCE) == TERMINATED;
        } catch (AssertionError | IOException e) {
            System.out.println(memory + " MiB do not suffice: " + e.getMessage());
            return false;
        }
    }
}
