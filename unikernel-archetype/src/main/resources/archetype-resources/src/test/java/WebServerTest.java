package ${package};

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WebServerTest {

    private final HttpClient client = HttpClient.newHttpClient();
    private WebServer server;

    @BeforeEach
    void start() throws IOException {
        server = new WebServer(new Settings(0, 2, "Good \"morning\""));
        server.start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void greets() throws Exception {
        HttpResponse<String> response = get("/");
        assertEquals(200, response.statusCode());
        assertEquals("Good \"morning\"\n", response.body());
    }

    @Test
    void isHealthy() throws Exception {
        assertEquals("ok\n", get("/health").body());
    }

    @Test
    void describesTheSystemAsJson() throws Exception {
        HttpResponse<String> response = get("/api/system");
        assertEquals("application/json; charset=utf-8", response.headers().firstValue("Content-Type").orElseThrow());
        assertTrue(response.body().contains("\"java\":\"" + Runtime.version() + "\""), response.body());
    }

    @Test
    void knowsNoOtherPage() throws Exception {
        assertEquals(404, get("/nowhere").statusCode());
        assertEquals(404, get("/health/deeper").statusCode());
    }

    @Test
    void refusesOtherMethods() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(uri("/")).DELETE().build();
        assertEquals(405, client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
    }

    @Test
    void refusesConnectionsOnceClosed() throws Exception {
        get("/health");
        server.close();
        assertThrows(IOException.class, () -> get("/health"));
    }

    @Test
    void canBeClosedBeforeItIsStarted() throws Exception {
        new WebServer(new Settings(0, 2, "Hello")).close();
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(HttpRequest.newBuilder(uri(path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private URI uri(String path) {
        return URI.create("http://localhost:" + server.port() + path);
    }
}
