// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RequestsTest {

    private static final Duration LONG = Duration.ofMinutes(5);

    private final List<String> asked = Collections.synchronizedList(new ArrayList<>());
    private HttpServer server;
    private String base;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            asked.add(exchange.getRequestURI().toString());
            exchange.sendResponseHeaders(exchange.getRequestURI().getPath().equals("/none") ? 404 : 302, -1);
            exchange.close();
        });
        server.start();
        base = "http://localhost:" + server.getAddress().getPort() + "/";
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void asksForEachPathInOrder() throws Exception {
        Requests.get(guest(), base, List.of("/", "/b?c=d", "//c/"), LONG);
        assertEquals(List.of("/", "/b?c=d", "//c/"), asked);
    }

    @Test
    void anAnswerThatSaysNoIsAnError() {
        GuestException e =
                assertThrows(GuestException.class, () -> Requests.get(guest(), base, List.of("/none", "/"), LONG));
        assertTrue(e.getMessage().startsWith(base + "none answers 404. Correct -Dunikernel.train"), e.getMessage());
        assertTrue(e.getMessage().endsWith("| I have no such page"), e.getMessage());
        assertEquals(List.of("/none"), asked);
    }

    @Test
    void noAnswerIsAnError() {
        server.stop(0);
        GuestException e = assertThrows(GuestException.class, () -> Requests.get(guest(), base, List.of("/"), LONG));
        assertTrue(e.getMessage().startsWith(base + " does not answer ("), e.getMessage());
    }

    private static Guest guest() {
        Console console = new Console(text -> {});
        console.follow(new ByteArrayInputStream("I have no such page\n".getBytes()));
        console.ended().join();
        return new FakeGuest(console, new Reports(0, 0));
    }
}
