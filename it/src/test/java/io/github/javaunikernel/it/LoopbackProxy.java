// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A forwarding HTTP proxy that wants a password and counts what it forwards, one request a connection. Safe for use by
 * several threads.
 */
final class LoopbackProxy implements AutoCloseable {

    private final ServerSocket listening = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicInteger forwarded = new AtomicInteger();
    private final String authorization;

    LoopbackProxy(String user, String password) throws IOException {
        authorization = "Proxy-Authorization: Basic "
                + Base64.getEncoder().encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
        threads.execute(this::accept);
    }

    int port() {
        return listening.getLocalPort();
    }

    /** Requests with the right password so far. */
    int forwarded() {
        return forwarded.get();
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                threads.execute(() -> serve(client));
            } catch (IOException e) {
                if (!listening.isClosed()) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    /** A connection that breaks is the client's to notice. */
    private void serve(Socket client) {
        try (client) {
            InputStream in = new BufferedInputStream(client.getInputStream());
            List<String> head = head(in);
            if (head.stream().noneMatch(line -> line.equalsIgnoreCase(authorization))) {
                send(
                        client,
                        List.of(
                                "HTTP/1.1 407 Proxy Authentication Required",
                                "Proxy-Authenticate: Basic realm=\"test\"",
                                "Content-Length: 0",
                                "Connection: close"));
                return;
            }
            forwarded.incrementAndGet();
            String[] request = head.remove(0).split(" ");
            URI target = URI.create(request[1]);
            head.removeIf(line -> line.toLowerCase(Locale.ROOT).matches("(proxy-.*|connection|keep-alive):.*"));
            head.add(0, request[0] + " " + originForm(target) + " HTTP/1.1");
            head.add("Connection: close");
            forward(client, in, head, target);
        } catch (IOException e) {
            System.out.println("proxy: " + e);
        }
    }

    private static List<String> head(InputStream in) throws IOException {
        List<String> lines = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c >= 0; c = in.read()) {
            if (c != '\n') {
                line.append((char) c);
                continue;
            }
            String text = line.toString().stripTrailing();
            if (text.isEmpty()) {
                return lines;
            }
            lines.add(text);
            line.setLength(0);
        }
        throw new EOFException("half a request");
    }

    private static String originForm(URI target) {
        String path = target.getRawPath().isEmpty() ? "/" : target.getRawPath();
        return target.getRawQuery() == null ? path : path + "?" + target.getRawQuery();
    }

    private void forward(Socket client, InputStream in, List<String> head, URI target) throws IOException {
        try (Socket server = new Socket(InetAddress.getByName(target.getHost()), target.getPort())) {
            send(server, head);
            threads.execute(() -> sendBody(in, server));
            server.getInputStream().transferTo(client.getOutputStream());
        }
    }

    /** Ends, at the latest, when the answer is complete and both connections are closed. */
    private static void sendBody(InputStream in, Socket server) {
        try {
            in.transferTo(server.getOutputStream());
        } catch (IOException e) {
            // the answer came first
        }
    }

    private static void send(Socket to, List<String> head) throws IOException {
        OutputStream out = to.getOutputStream();
        out.write((String.join("\r\n", head) + "\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
        out.flush();
    }

    @Override
    public void close() throws IOException {
        listening.close();
        threads.shutdown();
    }
}
