// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.boot.KernelCommandLine;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import io.github.javaunikernel.maven.run.BuiltImage;
import io.github.javaunikernel.maven.run.Health;
import io.github.javaunikernel.maven.run.Xl;
import io.github.javaunikernel.maven.run.XlDomain;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The front door with domains of a Xen host, and a client of it: a cold start, and one from a snapshot. The host is
 * that whose programs are on the PATH; lab/serve-xl has one in emulation.
 */
public final class XlFrontDoor {

    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private static boolean failed;

    private XlFrontDoor() {}

    /** Configuration, disk and kernel of an image whose program answers on port 8080 with the line that it gets. */
    public static void main(String[] words) throws Exception {
        Path config = Path.of(words[0]);
        BuiltImage image = image(config, Path.of(words[1]), Path.of(words[2]));
        Xl xl = new Xl(System.getenv("PATH"));
        GuestStarter starter = new GuestStarter(
                new XlMachines(xl, new XlDomain(image, "echo", OptionalInt.empty()), List.of(8080), Optional.empty()),
                (guest, url) -> Health.await(guest, Optional.empty(), PATIENCE),
                PATIENCE,
                PATIENCE,
                XlFrontDoor::note,
                Optional.of(new Snapshots(config.resolveSibling("echo.snapshot"), XlFrontDoor::note)));
        Limits limits = new Limits(0, 1, 256, Duration.ofSeconds(2), PATIENCE);
        try (FrontDoor door = FrontDoor.open(
                InetAddress.getLoopbackAddress(), List.of(0), limits, starter, System::nanoTime, XlFrontDoor::note)) {
            Thread client = new Thread(() -> ask(door), "client");
            client.start();
            door.run();
            client.join();
        }
        System.exit(failed ? 1 : 0);
    }

    private static void ask(FrontDoor door) {
        try {
            check("cold start", "cold".equals(answeredBy(door, "first")));
            while (!door.status().instances().isEmpty()) {
                Thread.sleep(100);
            }
            check("start from a snapshot", "restored".equals(answeredBy(door, "second")));
        } catch (IOException e) {
            note(e.toString());
            check("answers", false);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            door.shutDown();
        }
    }

    /** How the machine was started that has answered. */
    private static String answeredBy(FrontDoor door, String line) throws IOException {
        try (Socket socket = new Socket(
                        InetAddress.getLoopbackAddress(), door.ports().get(0));
                BufferedReader in =
                        new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8))) {
            socket.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            String answer = in.readLine();
            note("the answer is '" + answer + "'");
            return line.equals(answer) ? door.status().instances().get(0).start() : null;
        }
    }

    private static BuiltImage image(Path config, Path disk, Path kernel) throws Exception {
        return new BuiltImage(
                "echo",
                disk,
                kernel,
                config,
                false,
                KernelCommandLine.parse("quiet"),
                64,
                1,
                NetworkSetting.parse("dhcp"),
                0,
                List.of(),
                0,
                0,
                null,
                null,
                null,
                null);
    }

    private static void check(String what, boolean holds) {
        System.out.println((holds ? "ok " : "not ok ") + what);
        failed |= !holds;
    }

    private static void note(String text) {
        System.out.println("# " + text.strip());
    }
}
