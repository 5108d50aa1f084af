// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.javaunikernel.it.app.conformance.Conformance;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** What the integration tests talk to: each path makes the guest do something that can be checked from outside. */
public final class LabApp {

    private static final int PORT = 8080;
    private static final int BACKLOG = 512;
    private static final int CHUNK = 65536;

    private final Map<Integer, CyclicBarrier> meetings = new ConcurrentHashMap<>();

    private interface Answer {
        String to(Map<String, String> query) throws Exception;
    }

    private LabApp() {}

    /** Serves until the machine is shut down. */
    public static void main(String[] arguments) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(PORT), BACKLOG);
        server.setExecutor(Executors.newCachedThreadPool());
        new LabApp().addTo(server);
        server.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            System.out.println("app: hook");
            server.stop(0);
            System.out.println("app: stopped");
        }));
        System.out.println("app: listening");
    }

    private void addTo(HttpServer server) {
        text(server, "/hello", query -> System.getProperty("lab.greeting", "Hello"));
        text(server, "/npe", query -> String.valueOf(Storms.nullPointers(number(query, "n"))));
        text(server, "/div", query -> String.valueOf(Storms.divisions(number(query, "n"))));
        text(server, "/soe", query -> String.valueOf(Storms.stackOverflows(number(query, "n"))));
        text(server, "/threads", query -> threads());
        text(server, "/time", query -> System.currentTimeMillis() + " " + System.nanoTime());
        text(server, "/sleep", query -> slept(number(query, "ms")));
        text(server, "/meet", query -> meet(number(query, "n")));
        text(server, "/file", query -> Files.readString(Path.of(query.get("path"))));
        text(server, "/scratch", query -> scratch(number(query, "n")));
        text(server, "/survey", query -> String.join("\n", Survey.lines()));
        text(server, "/conformance", query -> String.join("\n", Conformance.lines()));
        server.createContext("/exit", LabApp::exit);
        server.createContext("/bytes", LabApp::bytes);
        server.createContext("/upload", LabApp::upload);
    }

    private static void text(HttpServer server, String path, Answer answer) {
        server.createContext(path, exchange -> {
            try {
                send(exchange, 200, answer.to(query(exchange)));
            } catch (Exception e) {
                send(exchange, 500, e.toString());
            }
        });
    }

    private static void bytes(HttpExchange exchange) throws IOException {
        Map<String, String> query = query(exchange);
        long size = Long.parseLong(query.get("n"));
        exchange.sendResponseHeaders(200, size == 0 ? -1 : size);
        try (Pattern pattern = new Pattern(Long.parseLong(query.get("seed")), size);
                OutputStream out = exchange.getResponseBody()) {
            copy(pattern, out);
        }
    }

    private static void upload(HttpExchange exchange) throws IOException {
        MessageDigest digest = sha256();
        long size = 0;
        byte[] buffer = new byte[CHUNK];
        try (InputStream in = exchange.getRequestBody()) {
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                digest.update(buffer, 0, count);
                size += count;
            }
        }
        send(exchange, 200, HexFormat.of().formatHex(digest.digest()) + " " + size);
    }

    private static void copy(InputStream in, OutputStream out) throws IOException {
        byte[] buffer = new byte[CHUNK];
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            out.write(buffer, 0, count);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String threads() {
        return Thread.getAllStackTraces().keySet().stream()
                .map(Thread::getName)
                .sorted()
                .collect(Collectors.joining("\n"));
    }

    private static String slept(int milliseconds) throws InterruptedException {
        long before = System.nanoTime();
        Thread.sleep(milliseconds);
        return String.valueOf(System.nanoTime() - before);
    }

    /** Answers when this many requests wait here at the same time. */
    private String meet(int number) throws Exception {
        meetings.computeIfAbsent(number, CyclicBarrier::new).await(120, TimeUnit.SECONDS);
        return "met " + number;
    }

    /** Writes a file of this size in memory, reads it back, removes it. */
    private static String scratch(int size) throws IOException {
        byte[] content = Pattern.bytes(size, size);
        Path file = Files.createTempFile("scratch", null);
        Files.write(file, content);
        boolean same = Arrays.equals(content, Files.readAllBytes(file));
        Files.delete(file);
        return same && Files.notExists(file) ? "same" : "different";
    }

    /** The answer is sent before the end; a handler must not wait for the exit that waits for it. */
    /** Answers first: the end closes connections, whatever has been written to them. */
    private static void exit(HttpExchange exchange) throws IOException {
        int code = number(query(exchange), "code");
        send(exchange, 200, "exiting");
        new Thread(() -> System.exit(code)).start();
    }

    private static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }

    private static int number(Map<String, String> query, String name) {
        return Integer.parseInt(query.get(name));
    }

    private static Map<String, String> query(HttpExchange exchange) {
        Map<String, String> values = new TreeMap<>();
        String query = exchange.getRequestURI().getQuery();
        if (query == null) {
            return values;
        }
        for (String pair : query.split("&")) {
            String[] parts = pair.split("=", 2);
            values.put(parts[0], parts.length == 2 ? parts[1] : "");
        }
        return values;
    }
}
