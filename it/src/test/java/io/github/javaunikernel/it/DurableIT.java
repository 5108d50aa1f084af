// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/**
 * Kafka and a database of H2 keep their files on a data disk: what they have acknowledged is there after the guest was
 * shut down, and after it lost its power in the middle of more of the same. A long form:
 *
 * <pre>./mvnw verify -pl it -Dgroups=frameworks -Dlab.excluded=none -Dit.test=DurableIT</pre>
 */
@Tag("frameworks")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DurableIT {

    private static final Path SOURCE = Path.of("src", "durable");
    private static final Path PROJECT = Lab.images().resolve("durable");
    private static final Path DISK = PROJECT.resolve("state.img");
    private static final int TERMINATED = 143;
    private static final Pattern COUNT = Pattern.compile("(?s).* 200 .* (\\d+) (records|rows)");

    @BeforeAll
    void build() throws IOException, InterruptedException {
        FrameworkProject.copy(SOURCE, PROJECT);
        Maven.run(PROJECT, Map.of(), "package", "-Dunikernel.version=" + System.getProperty("lab.version"));
        Files.deleteIfExists(DISK);
        run("mke2fs", "-q", "-t", "ext2", "-L", "state", DISK.toString(), "256m");
    }

    @Test
    void whatIsAcknowledgedOutlivesTheGuest() throws Exception {
        try (Lab lab = boot("first")) {
            assertEquals(List.of(0, 0), counts(lab));
            assertEquals(List.of(500, 200), counts(lab, "GET /produce?500", "GET /insert?200"));
            lab.command("shutdown");
            assertEquals(TERMINATED, lab.exitStatus(GuestSuite.END), lab::lastLines);
        }
        checkDisk();
        List<Integer> atLeast;
        try (Lab lab = boot("second")) {
            assertEquals(List.of(500, 200), counts(lab));
            atLeast = counts(lab, "GET /produce?300", "GET /insert?100");
            assertEquals(List.of(800, 300), atLeast);
            losePower(lab);
        }
        try (Lab lab = boot("third")) {
            List<Integer> found = counts(lab);
            assertTrue(
                    found.get(0) >= atLeast.get(0) && found.get(1) >= atLeast.get(1),
                    () -> found + " records and rows, of which " + atLeast + " had been acknowledged");
            List<Integer> more = List.of(found.get(0) + 100, found.get(1) + 50);
            assertEquals(more, counts(lab, "GET /produce?100", "GET /insert?50"));
            lab.command("shutdown");
            assertEquals(TERMINATED, lab.exitStatus(GuestSuite.END), lab::lastLines);
        }
        checkDisk();
    }

    private static Lab boot(String name) throws IOException {
        List<String> options = new ArrayList<>(Platform.QEMU.options(PROJECT.resolve("target/durable")));
        options.addAll(List.of("--disk", PROJECT.resolve("target/durable.img").toString()));
        options.addAll(List.of("--kept-disk", DISK.toString()));
        options.addAll(List.of("--timeout-idle", Long.toString(GuestSuite.BOOT.toSeconds())));
        return Lab.start("durable-" + name, Platform.QEMU, options);
    }

    /** What there is after these requests, records and rows, each of which says that it is where it belongs. */
    private static List<Integer> counts(Lab lab, String... requests) throws IOException, InterruptedException {
        FrameworkClient client = new FrameworkClient("http", lab.port(), "");
        client.awaitAnswer(lab::checkRuns);
        for (String answer : client.ask(List.of(requests))) {
            count(answer);
        }
        return client.ask(List.of("GET /records", "GET /rows")).stream()
                .map(DurableIT::count)
                .toList();
    }

    private static int count(String answer) {
        Matcher count = COUNT.matcher(answer);
        assertTrue(count.matches(), answer);
        return Integer.parseInt(count.group(1));
    }

    /** While records and rows without an end are being written: the kernel has not heard of it. */
    private static void losePower(Lab lab) throws Exception {
        List<Thread> writers = new ArrayList<>();
        for (String endless : List.of("GET /produce?1000000", "GET /insert?1000000")) {
            Thread writer = new Thread(() -> askInVain(lab, endless), endless);
            writer.start();
            writers.add(writer);
        }
        long before = allocated();
        while (allocated() < before + (1 << 20)) {
            lab.checkRuns();
            Thread.sleep(100); // until the disk's file has grown
        }
        lab.command("destroy");
        lab.exitStatus(GuestSuite.END);
        for (Thread writer : writers) {
            writer.join();
        }
    }

    private static void askInVain(Lab lab, String request) {
        try {
            new FrameworkClient("http", lab.port(), "").ask(List.of(request));
        } catch (HttpTimeoutException e) {
            throw new AssertionError(request, e);
        } catch (IOException | InterruptedException expected) {
            // The power went.
        }
    }

    /** Bytes of the disk that its file has room for. */
    private static long allocated() throws IOException, InterruptedException {
        return Long.parseLong(run("stat", "-c", "%b", DISK.toString()).strip()) * 512;
    }

    /** It is clean, and e2fsck finds nothing to do. */
    private static void checkDisk() throws IOException, InterruptedException {
        run("e2fsck", "-fn", DISK.toString());
        assertTrue(run("dumpe2fs", "-h", DISK.toString()).matches("(?s).*Filesystem state: +clean\n.*"));
    }

    /** A command that has to succeed; what it printed. Those of e2fsprogs are in /sbin. */
    private static String run(String... command) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().merge("PATH", "/usr/sbin:/sbin", (path, more) -> path + ":" + more);
        List<String> searched = new ArrayList<>(List.of("env"));
        searched.addAll(List.of(command));
        Process process = builder.command(searched).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), () -> String.join(" ", command) + ":\n" + output);
        return output;
    }
}
