// SPDX-License-Identifier: Apache-2.0
package zerg;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.RuntimeMXBean;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** A server whose only page tells the short life of the machine it runs on. */
public final class Main {

    private static final int PORT = 8080;
    /** Connections that the kernel holds until they are accepted: as many as the front door leads to one machine. */
    private static final int BACKLOG = 256;

    private static final AtomicInteger REQUESTS = new AtomicInteger();

    /** A restored machine's wall clock moves by this at least, and its other clock does not (serving.html). */
    private static final Duration JUMP = Duration.ofMillis(500);

    private final Instant enteredAt = Instant.now();
    private final long entered = System.nanoTime();
    private long listening;

    private Main() {}

    /** Serves until the machine is stopped. */
    public static void main(String[] args) throws IOException {
        new Main().serve();
    }

    private void serve() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(PORT), BACKLOG);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", this::answer);
        listening = System.nanoTime();
        server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        long arrived = System.nanoTime();
        try (exchange) {
            if (!exchange.getRequestURI().getPath().equals("/")) {
                exchange.sendResponseHeaders(404, -1);
                return;
            }
            byte[] page = page(arrived).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "text/html; charset=utf-8");
            // An open connection would keep the machine alive.
            exchange.getResponseHeaders().set("Connection", "close");
            exchange.sendResponseHeaders(200, page.length);
            exchange.getResponseBody().write(page);
        }
    }

    /** How long the machine was not there since the program's start: in a snapshot. */
    private Duration away() {
        Duration here = Duration.ofNanos(System.nanoTime() - entered);
        return Duration.between(enteredAt, Instant.now()).minus(here);
    }

    private static String origin(Duration away) {
        return away.compareTo(JUMP) < 0
                ? "It was started cold."
                : "It was restored from a snapshot, and was away for " + away.toSeconds() + " s before.";
    }

    private String page(long arrived) throws IOException {
        RuntimeMXBean runtime = ManagementFactory.getRuntimeMXBean();
        // In this order, all phases are shown later by what passes between the readings, and none before another.
        long now = System.nanoTime();
        Duration jvm = Duration.ofMillis(runtime.getUptime());
        Duration age = age();
        Duration away = away();
        return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Zerg</title></head><body>\n"
                + "<h1>A machine of your own</h1>\n"
                + "<p>This is request " + REQUESTS.incrementAndGet() + " of a machine that was started at "
                + Instant.now().minus(age).minus(away) + ". " + origin(away) + "</p>\n<table>\n"
                + row("The machine starts", Duration.ZERO)
                + row("The JVM starts", age.minus(jvm))
                + row("The program starts", age.minusNanos(now - entered))
                + row("The server listens", age.minusNanos(now - listening))
                + row("Your request arrives", age.minusNanos(now - arrived))
                + row("Its answer is written", age.plusNanos(System.nanoTime() - now))
                + "</table>\n<p>The machine will be gone " + System.getProperty("zerg.idle")
                + " s after its last connection is closed.</p>\n</body></html>\n";
    }

    private static String row(String phase, Duration age) {
        return String.format(Locale.ROOT, "<tr><td>%s</td><td>%.2f s</td></tr>%n", phase, age.toNanos() / 1e9);
    }

    /** The kernel counts from its start, in hundredths of a second (proc_uptime(5)). */
    private static Duration age() throws IOException {
        String seconds = Files.readString(Path.of("/proc/uptime")).split(" ")[0];
        return Duration.ofMillis(Math.round(Double.parseDouble(seconds) * 1000));
    }
}
