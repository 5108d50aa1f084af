// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.javaunikernel.maven.html.Browser;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatusServerTest {

    private static final String HOSTILE = "ended: <img src=x onerror=\"document.title='taken'\">";
    private static final Status STATUS = new Status(
            List.of(8080),
            "serving",
            3,
            40,
            2,
            5,
            1,
            0,
            4,
            60,
            List.of(new Status.Machine(
                    2, "ready", List.of("127.0.0.1:4711"), 7, 33, "2026-01-01T00:00:00Z", "restored", 1.5, 2.25, null)),
            List.of(new Status.Machine(
                    1, "ended", List.of(), 0, 0, "2025-12-31T00:00:00Z", null, null, null, HOSTILE)));

    @TempDir
    private Path scratch;

    private StatusServer server;
    private int port;

    @BeforeEach
    void open() throws SettingException {
        server = StatusServer.open(0, () -> STATUS);
        port = URI.create(server.url()).getPort();
    }

    @AfterEach
    void close() {
        server.close();
    }

    private String answer(String request) throws IOException {
        try (Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
            client.getOutputStream()
                    .write((request + "\r\nConnection: close\r\n\r\n").getBytes(StandardCharsets.UTF_8));
            return new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void theDataAreThoseOfThePage() throws IOException {
        String answer = answer("GET /status.json HTTP/1.1\r\nHost: localhost:" + port);
        assertTrue(answer.startsWith("HTTP/1.1 200 OK"), answer);
        JsonObject json = JsonParser.parseString(answer.substring(answer.indexOf("\r\n\r\n")))
                .getAsJsonObject();
        assertEquals(3, json.get("waiting").getAsInt());
        JsonObject machine = json.getAsJsonArray("instances").get(0).getAsJsonObject();
        assertEquals(2.25, machine.get("secondsToFirstAnswer").getAsDouble());
        assertEquals(
                "127.0.0.1:4711", machine.getAsJsonArray("addresses").get(0).getAsString());
        JsonObject gone = json.getAsJsonArray("ended").get(0).getAsJsonObject();
        assertEquals(HOSTILE, gone.get("end").getAsString());
        assertFalse(gone.has("secondsToReady"));
    }

    @Test
    void aForeignNameOrMethodOrPathIsRefused() throws IOException {
        assertTrue(answer("GET / HTTP/1.1\r\nHost: evil.example:" + port).startsWith("HTTP/1.1 421"));
        assertTrue(answer("POST / HTTP/1.1\r\nHost: localhost").startsWith("HTTP/1.1 405"));
        assertTrue(answer("GET /other HTTP/1.1\r\nHost: localhost").startsWith("HTTP/1.1 404"));
    }

    @Test
    void aTakenPortIsAnError() {
        String message = assertThrows(SettingException.class, () -> StatusServer.open(port, () -> STATUS))
                .getMessage();
        assertEquals(
                "Port " + port + " of this machine is in use, or you may not use it. [parameter serve.statusPort,"
                        + " -Dunikernel.serve.statusPort] Choose another one, 0 for a free one, or false for no status"
                        + " page.",
                message);
    }

    @Test
    void aBrowserShowsTheNumbersAndTakesNothingForMarkup() throws Exception {
        String page = Browser.open(scratch, URI.create(server.url()), "--dump-dom");
        assertTrue(page.contains("<title>unikernel:serve</title>"), page);
        for (String cell :
                List.of("ready", "restored", "2.25 s", "1.50 s", "127.0.0.1:4711", "at least 0, at most 4", "60 s")) {
            assertTrue(page.matches("(?s).*<td[^>]*>" + cell + "</td>.*"), cell + " is not a cell of\n" + page);
        }
        assertTrue(page.contains("ended: &lt;img src=x"), page);
        assertFalse(page.contains("<img") || page.contains("<script") || page.contains("//"), page);
    }
}
