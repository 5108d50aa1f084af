// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.CookieManager;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import javax.net.SocketFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/**
 * Makes the requests of a framework's {@code requests.txt} in their order, with cookies, and writes down what came
 * back: protocol, status, kind of content and content. A line is
 *
 * <pre>
 * GET PATH
 * POST PATH CONTENT        as text/plain
 * UPLOAD PATH BYTES        a file of so many bytes in a multipart form
 * WEBSOCKET PATH TEXT      one message there, one back
 * </pre>
 *
 * {@code @service@} in a path stands for the address of the server that the program is to talk to.
 */
final class FrameworkClient {

    /** Progress, not speed: a guest on a machine ten times slower answers sooner than this. */
    private static final Duration PATIENCE = Duration.ofMinutes(15);

    private static final int RETRY_MILLIS = 100;
    /** Asks a server whether it is there, and nothing else: RFC 9110 9.3.7. */
    private static final String NO_OPERATION = "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

    private static final String BOUNDARY = "frameworks-it-boundary";

    interface Check {
        void run() throws IOException;
    }

    private final URI base;
    private final String service;
    private final HttpClient client;
    private final SocketFactory sockets;

    /**
     * Starts with no cookies.
     *
     * @param service where the program finds its own server, as {@code HOST:PORT}
     */
    FrameworkClient(String scheme, int port, String service) {
        this.service = service;
        base = URI.create(scheme + "://localhost:" + port);
        SSLContext trusting = trusting();
        sockets = scheme.equals("https") ? trusting.getSocketFactory() : SocketFactory.getDefault();
        client = HttpClient.newBuilder()
                .cookieHandler(new CookieManager())
                .connectTimeout(PATIENCE)
                .sslContext(trusting)
                .sslParameters(new SSLParameters())
                .build();
    }

    /**
     * Returns when the port of a server on this machine takes connections; {@code check} throws when there is nothing
     * to wait for any more.
     */
    void awaitListening(Check check) throws IOException, InterruptedException {
        await(check, () -> new Socket(InetAddress.getLoopbackAddress(), base.getPort()).close());
    }

    /**
     * Returns when a connection is accepted and answered: a port that is forwarded accepts connections before there is
     * a server behind it, and closes them. {@code check} throws when there is nothing to wait for any more.
     */
    void awaitAnswer(Check check) throws IOException, InterruptedException {
        await(check, () -> {
            try (Socket socket = sockets.createSocket(InetAddress.getLoopbackAddress(), base.getPort())) {
                socket.setSoTimeout((int) PATIENCE.toMillis());
                socket.getOutputStream().write(NO_OPERATION.getBytes(StandardCharsets.US_ASCII));
                if (socket.getInputStream().read() < 0) {
                    throw new EOFException("closed without an answer");
                }
            }
        });
    }

    /** The attempts follow one another for as long as the check passes; one that is left without any answer fails. */
    private static void await(Check check, Check attempt) throws IOException, InterruptedException {
        while (true) {
            check.run();
            try {
                attempt.run();
                return;
            } catch (SocketTimeoutException unanswered) {
                throw unanswered;
            } catch (IOException notYet) {
                TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
            }
        }
    }

    List<String> ask(List<String> requests) throws IOException, InterruptedException {
        List<String> answers = new ArrayList<>();
        for (String request : requests) {
            String[] words = request.split(" ", 3);
            String answer = switch (words[0]) {
                case "GET" -> send(words[1], HttpRequest.newBuilder());
                case "POST" ->
                    send(
                            words[1],
                            HttpRequest.newBuilder()
                                    .header("Content-Type", "text/plain; charset=utf-8")
                                    .POST(BodyPublishers.ofString(words[2])));
                case "UPLOAD" -> send(words[1], upload(Integer.parseInt(words[2])));
                case "WEBSOCKET" -> webSocket(words[1], words[2]);
                default -> throw new AssertionError("requests.txt has no request " + words[0]);
            };
            answers.add(request + " -> " + answer);
        }
        return answers;
    }

    private String send(String path, HttpRequest.Builder request) throws IOException, InterruptedException {
        URI uri = base.resolve(path.replace("@service@", service));
        HttpResponse<String> response =
                client.send(request.uri(uri).timeout(PATIENCE).build(), BodyHandlers.ofString());
        // Pages of errors name the port, which is another on each machine.
        return response.version() + " " + response.statusCode() + " "
                + response.headers().firstValue("content-type").orElse("-") + " "
                + response.body().replace(":" + base.getPort(), ":PORT");
    }

    private static HttpRequest.Builder upload(int bytes) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.write(("--" + BOUNDARY + "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"data.bin\"\r\n"
                        + "Content-Type: application/octet-stream\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
        byte[] content = new byte[bytes];
        new Random(bytes).nextBytes(content);
        body.write(content);
        body.write(("\r\n--" + BOUNDARY + "--\r\n").getBytes(StandardCharsets.US_ASCII));
        return HttpRequest.newBuilder()
                .header("Content-Type", "multipart/form-data; boundary=" + BOUNDARY)
                .POST(BodyPublishers.ofByteArray(body.toByteArray()));
    }

    private String webSocket(String path, String text) {
        CompletableFuture<String> answer = new CompletableFuture<>();
        WebSocket socket = client.newWebSocketBuilder()
                .buildAsync(URI.create(base.toString().replaceFirst("^http", "ws") + path), new WebSocket.Listener() {
                    private final StringBuilder message = new StringBuilder();

                    @Override
                    public CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
                        message.append(part);
                        if (last) {
                            answer.complete(message.toString());
                        }
                        from.request(1);
                        return null;
                    }

                    @Override
                    public void onError(WebSocket from, Throwable error) {
                        answer.completeExceptionally(error);
                    }
                })
                .join();
        socket.sendText(text, true).join();
        String message =
                answer.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
        return message;
    }

    /** The projects make certificates of their own for localhost. */
    private static SSLContext trusting() {
        try {
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(
                    null,
                    new TrustManager[] {
                        new X509TrustManager() {
                            @Override
                            public void checkClientTrusted(X509Certificate[] chain, String kind) {}

                            @Override
                            public void checkServerTrusted(X509Certificate[] chain, String kind) {}

                            @Override
                            public X509Certificate[] getAcceptedIssuers() {
                                return new X509Certificate[0];
                            }
                        }
                    },
                    null);
            return context;
        } catch (GeneralSecurityException e) {
            throw new AssertionError(e);
        }
    }
}
