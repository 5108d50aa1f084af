// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * The instance metadata service of one instance, version 2 alone: a token by PUT with its life time, then GET with the
 * token. Strict as EC2's, and misbehaving when told to. Needs nothing but the JDK, so that {@code java FakeImds.java}
 * runs it: it prints {@code port=N}, then obeys lines on standard input.
 */
public final class FakeImds implements AutoCloseable {
    private static final int LONGEST_TOKEN_LIFE = 21600;
    private static final int USER_DATA_MAX = 16384;

    /** What goes wrong with the user data; {@link #OFF} and {@link #NO_TOKEN} strike the token already. */
    public enum Fault {
        NONE,
        OFF,
        NO_TOKEN,
        SILENT,
        DRIBBLE,
        CUT,
        OVERSIZE,
        CHUNKED,
        REDIRECT
    }

    private final HttpServer server;
    private final ExecutorService pool = Executors.newCachedThreadPool();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Map<String, Instant> tokens = new ConcurrentHashMap<>();
    private final List<String> requests = Collections.synchronizedList(new ArrayList<>());
    private volatile byte[] userData;
    private volatile Fault fault = Fault.NONE;

    public FakeImds() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        server.setExecutor(pool);
        server.createContext("/", this::handle);
        server.start();
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** What the instance was started with; null for none. */
    public void userData(byte[] data) {
        if (data != null && data.length > USER_DATA_MAX) {
            throw new IllegalArgumentException("EC2 takes 16 KiB of user data, not " + data.length + " bytes");
        }
        userData = data;
    }

    public void fault(Fault next) {
        fault = next;
    }

    /** Every request as {@code METHOD PATH STATUS}, in order; the status is 0 where there was no proper answer. */
    public List<String> requests() {
        return List.copyOf(requests);
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String request = exchange.getRequestMethod() + ' ' + exchange.getRequestURI();
            int bodyLength = exchange.getRequestBody().readAllBytes().length;
            int status = check(exchange, bodyLength);
            if (status != 200) {
                record(request, status);
                send(exchange, status, new byte[0]);
            } else if (exchange.getRequestMethod().equals("PUT")) {
                record(request, 200);
                send(exchange, 200, newToken(exchange).getBytes(StandardCharsets.US_ASCII));
            } else {
                record(request, fault == Fault.NONE ? 200 : 0);
                sendUserData(exchange);
            }
        }
    }

    private void record(String request, int status) {
        requests.add(request + ' ' + status);
    }

    /** The status that EC2 documents for such a request. */
    private int check(HttpExchange exchange, int bodyLength) {
        String path = exchange.getRequestURI().getRawPath();
        String method = exchange.getRequestMethod();
        if (fault == Fault.OFF
                || !path.startsWith("/latest/")
                || exchange.getRequestHeaders().containsKey("X-Forwarded-For")) {
            return 403;
        }
        if (path.equals("/latest/api/token")) {
            if (fault == Fault.NO_TOKEN) {
                return 404;
            }
            return !method.equals("PUT") ? 405 : tokenLife(exchange) == 0 || bodyLength > 0 ? 400 : 200;
        }
        Instant end = tokens.get(String.valueOf(exchange.getRequestHeaders().getFirst("X-aws-ec2-metadata-token")));
        if (end == null || end.isBefore(Instant.now())) {
            return 401;
        }
        if (!method.equals("GET")) {
            return 405;
        }
        return path.equals("/latest/user-data") && userData != null ? 200 : 404;
    }

    /** In seconds; 0: missing or out of range. */
    private static int tokenLife(HttpExchange exchange) {
        String life = String.valueOf(exchange.getRequestHeaders().getFirst("X-aws-ec2-metadata-token-ttl-seconds"));
        int seconds = life.matches("\\d{1,5}") ? Integer.parseInt(life) : 0;
        return seconds <= LONGEST_TOKEN_LIFE ? seconds : 0;
    }

    private String newToken(HttpExchange exchange) {
        String token = "AQAEA" + UUID.randomUUID().toString().replace('-', '_') + "==";
        tokens.put(token, Instant.now().plusSeconds(tokenLife(exchange)));
        return token;
    }

    private static void send(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", status == 200 ? "application/octet-stream" : "text/html");
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
    }

    private void sendUserData(HttpExchange exchange) throws IOException {
        switch (fault) {
            case SILENT -> awaitClose();
            case DRIBBLE -> dribble(exchange);
            case CUT -> {
                exchange.sendResponseHeaders(200, userData.length + 100L);
                exchange.getResponseBody().write(userData);
                exchange.getResponseBody().flush();
            }
            case OVERSIZE ->
                send(
                        exchange,
                        200,
                        "# too much\n".repeat(USER_DATA_MAX / 11 + 1).getBytes());
            case CHUNKED -> {
                exchange.sendResponseHeaders(200, 0);
                exchange.getResponseBody().write(userData);
            }
            case REDIRECT -> {
                exchange.getResponseHeaders().set("Location", endpoint() + "/latest/elsewhere");
                exchange.sendResponseHeaders(302, -1);
            }
            default -> send(exchange, 200, userData);
        }
    }

    /** One byte in a tenth of a second, until the reader or the fake ends it. */
    private void dribble(HttpExchange exchange) throws IOException {
        exchange.sendResponseHeaders(200, userData.length);
        try (OutputStream out = exchange.getResponseBody()) {
            for (byte b : userData) {
                out.write(b);
                out.flush();
                if (closed.await(100, TimeUnit.MILLISECONDS)) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitClose() {
        try {
            closed.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        pool.shutdownNow();
    }

    /** Obeys {@code user-data FILE}, {@code none}, {@code fault NAME}, {@code requests} and {@code quit}. */
    public static void main(String[] arguments) throws IOException {
        try (FakeImds fake = new FakeImds();
                BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            System.out.println("port=" + fake.endpoint().getPort());
            for (String line; (line = in.readLine()) != null && !line.equals("quit"); ) {
                System.out.println(fake.obey(line));
            }
        }
    }

    /** Does what one of those lines says; the answer to print. */
    String obey(String line) {
        String[] words = line.split(" ", 2);
        try {
            switch (words[0]) {
                case "user-data" -> userData(Files.readAllBytes(Path.of(words[1])));
                case "none" -> userData(null);
                case "fault" -> fault(Fault.valueOf(words[1].toUpperCase(Locale.ROOT)));
                case "requests" -> {
                    return String.join(",", requests());
                }
                default -> throw new IllegalArgumentException("user-data FILE, none, fault NAME, requests or quit");
            }
            return "ok";
        } catch (IOException | RuntimeException e) {
            return "error " + e;
        }
    }
}
