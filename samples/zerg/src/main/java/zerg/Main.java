// SPDX-License-Identifier: Apache-2.0
package zerg;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
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

    private final Instant entered = Instant.now();
    private Instant listening;

    private Main() {}

    /** Serves until the machine is stopped. */
    public static void main(String[] args) throws IOException {
        new Main().serve();
    }

    private void serve() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(PORT), BACKLOG);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", this::answer);
        listening = Instant.now();
        server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        Instant arrived = Instant.now();
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

    private String page(Instant arrived) throws IOException {
        Instant booted = booted();
        Instant started = Instant.ofEpochMilli(ManagementFactory.getRuntimeMXBean().getStartTime());
        return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Zerg</title></head><body>\n"
                + "<h1>A machine of your own</h1>\n"
                + "<p>This is request " + REQUESTS.incrementAndGet() + " of a machine that was started at " + booted
                + ".</p>\n<table>\n"
                + row("The machine starts", booted, booted)
                + row("The JVM starts", booted, started)
                + row("The program starts", booted, entered)
                + row("The server listens", booted, listening)
                + row("Your request arrives", booted, arrived)
                + row("Its answer is written", booted, Instant.now())
                + "</table>\n<p>The machine will be gone " + System.getProperty("zerg.idle")
                + " s after its last connection is closed.</p>\n</body></html>\n";
    }

    private static String row(String phase, Instant booted, Instant time) {
        double seconds = Duration.between(booted, time).toNanos() / 1e9;
        return String.format(Locale.ROOT, "<tr><td>%s</td><td>%.2f s</td></tr>%n", phase, seconds);
    }

    /** The kernel counts from its start, in hundredths of a second (proc_uptime(5)). */
    private static Instant booted() throws IOException {
        String seconds = Files.readString(Path.of("/proc/uptime")).split(" ")[0];
        return Instant.now().minusMillis(Math.round(Double.parseDouble(seconds) * 1000));
    }
}
