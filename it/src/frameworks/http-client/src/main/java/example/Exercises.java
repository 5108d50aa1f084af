// SPDX-License-Identifier: Apache-2.0
package example;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.net.http.WebSocket;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSession;

/** What programs do with the client, in one version of HTTP. Contents are compared here. */
final class Exercises {

    private static final int REQUESTS = 50;
    /** By version; they live as long as the program, as their connections do. */
    private static final Map<Version, HttpClient> CLIENTS = new ConcurrentHashMap<>();

    private final Version version;
    private final String server;

    private Exercises(Version version, String server) {
        this.version = version;
        this.server = server;
    }

    static Exercises of(String version, String server) {
        return new Exercises(Version.valueOf(version), server);
    }

    String run(String name) throws Exception {
        return switch (name) {
            case "hello" -> described(text("/hello"));
            case "large" -> large();
            case "upload" -> upload();
            case "chunks" -> described(text("/chunks"));
            case "redirect" -> redirect();
            case "missing" -> Integer.toString(text("/missing").statusCode());
            case "reuse" -> reuse();
            case "many" -> many();
            case "timeout" -> timeout();
            case "socket" -> socket();
            case "untrusted" -> failure(HttpClient.newBuilder().sslContext(SSLContext.getDefault()));
            case "old-tls" -> failure(HttpClient.newBuilder().sslContext(Keys.trusting())
                    .sslParameters(new SSLParameters(null, new String[] {"TLSv1.1"})));
            default -> throw new IllegalArgumentException(name);
        };
    }

    private HttpClient client() {
        return CLIENTS.computeIfAbsent(version, v -> {
            try {
                return HttpClient.newBuilder().version(v).sslContext(Keys.trusting())
                        .followRedirects(Redirect.NORMAL).build();
            } catch (GeneralSecurityException | IOException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("https://" + server + path));
    }

    private HttpResponse<String> text(String path) throws IOException, InterruptedException {
        return client().send(request(path).build(), BodyHandlers.ofString());
    }

    private static String described(HttpResponse<String> response) {
        SSLSession session = response.sslSession().orElseThrow();
        return response.version() + " " + response.statusCode() + " " + session.getProtocol() + " "
                + session.getCipherSuite() + " " + response.headers().firstValue("content-type").orElse("-") + " "
                + response.body();
    }

    private String large() throws IOException, InterruptedException {
        HttpResponse<byte[]> response = client().send(request("/large").build(), BodyHandlers.ofByteArray());
        if (!Arrays.equals(Keys.content(), response.body())) {
            throw new AssertionError("what came is not what was sent");
        }
        return response.version() + " " + response.body().length;
    }

    private String upload() throws Exception {
        HttpRequest request = request("/digest").POST(BodyPublishers.ofByteArray(Keys.content())).build();
        HttpResponse<String> response = client().send(request, BodyHandlers.ofString());
        String expected = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Keys.content()));
        if (!expected.equals(response.body())) {
            throw new AssertionError("the server received something else: " + response.body());
        }
        return response.version() + " " + response.body();
    }

    private String redirect() throws IOException, InterruptedException {
        HttpResponse<String> response = text("/redirect");
        int first = response.previousResponse().orElseThrow().statusCode();
        return response.uri().getPath() + " " + first + " " + described(response);
    }

    /** One request after the other needs fewer connections than there are requests. */
    private String reuse() throws IOException, InterruptedException {
        TreeSet<String> ports = new TreeSet<>();
        for (int i = 0; i < REQUESTS; i++) {
            ports.add(text("/connection").body());
        }
        return "connections are used again: " + (ports.size() < REQUESTS);
    }

    /** Many at once. */
    private String many() {
        List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
        for (int i = 0; i < REQUESTS; i++) {
            all.add(client().sendAsync(request("/hello").build(), BodyHandlers.ofString()));
        }
        TreeSet<String> different = new TreeSet<>();
        all.forEach(one -> different.add(described(one.join())));
        return all.size() + " " + different;
    }

    private String timeout() throws IOException, InterruptedException {
        try {
            client().send(request("/silence").timeout(Duration.ofMillis(500)).build(), BodyHandlers.ofString());
            throw new AssertionError("an answer where there is none");
        } catch (HttpTimeoutException e) {
            return e.getClass().getName() + ": " + e.getMessage();
        }
    }

    private String failure(HttpClient.Builder client) throws IOException, InterruptedException {
        try {
            client.version(version).build().send(request("/hello").build(), BodyHandlers.ofString());
            throw new AssertionError("a connection that must not be");
        } catch (SSLHandshakeException e) {
            return e.getClass().getName() + ": " + e.getMessage();
        }
    }

    private String socket() {
        CompletableFuture<String> answer = new CompletableFuture<>();
        URI uri = URI.create("wss://" + server + "/socket");
        WebSocket socket = client().newWebSocketBuilder().buildAsync(uri, new WebSocket.Listener() {
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
        }).join();
        socket.sendText("Grüße", true).join();
        String received = answer.join();
        socket.sendClose(WebSocket.NORMAL_CLOSURE, "").join();
        return received;
    }
}
