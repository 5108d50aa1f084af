// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import com.google.gson.GsonBuilder;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.function.Supplier;

/**
 * Shows the status on a port of 127.0.0.1, as a page and as JSON. It changes nothing, and answers only to names of this
 * machine, so that no page of the web reads it through a name of its own that leads here.
 */
public final class StatusServer implements Closeable {

    private static final String HOSTS = "(localhost|127\\.0\\.0\\.1)(:\\d+)?";

    private final HttpServer server;
    private final Supplier<Status> status;

    private StatusServer(HttpServer server, Supplier<Status> status) {
        this.server = server;
        this.status = status;
    }

    /**
     * Serves from now on.
     *
     * @param port 0 for a free one
     */
    public static StatusServer open(int port, Supplier<Status> status) throws SettingException {
        try {
            HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
            StatusServer opened = new StatusServer(server, status);
            server.createContext("/", opened::answer);
            server.start();
            return opened;
        } catch (IOException e) {
            throw new SettingException(
                    "serve.statusPort",
                    "Port " + port + " of this machine is in use, or you may not use it.",
                    "Choose another one, 0 for a free one, or false for no status page.",
                    e);
        }
    }

    /** Where the page is. */
    public String url() {
        return "http://localhost:" + server.getAddress().getPort() + "/";
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String host = exchange.getRequestHeaders().getFirst("Host");
            String path = exchange.getRequestURI().getPath();
            if (host == null || !host.matches(HOSTS)) {
                send(exchange, 421, "text/plain", "Ask for localhost.\n");
            } else if (!exchange.getRequestMethod().equals("GET")) {
                send(exchange, 405, "text/plain", "Only GET is answered.\n");
            } else if (path.equals("/")) {
                send(exchange, 200, "text/html", StatusPage.of(status.get()));
            } else if (path.equals("/status.json")) {
                String json = new GsonBuilder().setPrettyPrinting().create().toJson(status.get());
                send(exchange, 200, "application/json", json + "\n");
            } else {
                send(exchange, 404, "text/plain", "There are / and /status.json.\n");
            }
        }
    }

    private static void send(HttpExchange exchange, int code, String type, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type + "; charset=utf-8");
        exchange.getResponseHeaders().set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'");
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        exchange.sendResponseHeaders(code, body.length);
        exchange.getResponseBody().write(body);
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
