// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;

/** The portal of IAM Identity Center as far as a logged-in user's tools ask it: GetRoleCredentials for one role. */
final class SingleSignOn implements AutoCloseable {

    static final String ACCOUNT = "123456789012";
    static final String ROLE = "Deployer";
    static final String TOKEN = "singleSignOnTokenDoNotPrint";

    private final HttpServer server;
    private final AtomicInteger asked = new AtomicInteger();
    private final String credentials;

    SingleSignOn(String accessKey, String secretKey, String sessionToken) throws IOException {
        long expiration = Instant.now().plus(Duration.ofHours(1)).toEpochMilli();
        credentials = """
                {"roleCredentials": {"accessKeyId": "%s", "secretAccessKey": "%s", "sessionToken": "%s", \
                "expiration": %d}}
                """.formatted(accessKey, secretKey, sessionToken, expiration);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        server.createContext("/federation/credentials", this::answer);
        server.start();
    }

    String endpoint() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** How often credentials were given out. */
    int asked() {
        return asked.get();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String query = exchange.getRequestURI().getQuery();
            boolean right = TOKEN.equals(exchange.getRequestHeaders().getFirst("x-amz-sso_bearer_token"))
                    && query.contains("role_name=" + ROLE)
                    && query.contains("account_id=" + ACCOUNT);
            byte[] body = (right ? credentials : "{\"message\": \"unauthorized\"}").getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(right ? 200 : 401, body.length);
            exchange.getResponseBody().write(body);
            if (right) {
                asked.incrementAndGet();
            }
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
