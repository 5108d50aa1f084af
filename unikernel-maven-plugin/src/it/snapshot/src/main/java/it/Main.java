// SPDX-License-Identifier: Apache-2.0
package it;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;

/** Draws random numbers in each way that Java has; two copies of this machine are asked. */
public class Main {

    /** Used before the snapshot, so that whatever it keeps is in that. */
    private static final SecureRandom RANDOM = new SecureRandom();

    public static void main(String[] args) throws Exception {
        draw();
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/", exchange -> {
            byte[] answer = answer().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Connection", "close");
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
    }

    private static String answer() throws IOException {
        try {
            return draw();
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    private static String draw() throws GeneralSecurityException, IOException {
        byte[] bytes = new byte[32];
        RANDOM.nextBytes(bytes);
        byte[] strong = new byte[32];
        SecureRandom.getInstanceStrong().nextBytes(strong);
        String few = IntStream.range(0, 8)
                .mapToObj(i -> String.format("%02x", RANDOM.nextInt(256)))
                .collect(Collectors.joining());
        return Stream.of(
                        "secure " + HexFormat.of().formatHex(bytes),
                        "few " + few,
                        "strong " + HexFormat.of().formatHex(strong),
                        "uuid " + UUID.randomUUID(),
                        "tls " + hello(),
                        "split " + Long.toHexString(new SplittableRandom().nextLong()),
                        "time " + Instant.now().toEpochMilli())
                .collect(Collectors.joining("\n", "", "\n"));
    }

    /** The random bytes and the session id of a client's first message (RFC 8446, 4.1.2). */
    private static String hello() throws GeneralSecurityException, IOException {
        SSLEngine engine = SSLContext.getDefault().createSSLEngine("host.example", 443);
        engine.setUseClientMode(true);
        ByteBuffer message = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        engine.wrap(ByteBuffer.allocate(0), message);
        // After the headers of record and handshake (5 + 4 bytes) and the version: 32 bytes, a length, 32 bytes.
        return HexFormat.of().formatHex(message.array(), 11, 11 + 32 + 1 + 32);
    }
}
