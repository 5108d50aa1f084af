package ${package};

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;

/** Sends requests to the unikernel, which 'mvn verify' boots in QEMU. */
class GreetingIT {

    private static final URI UNIKERNEL = URI.create(System.getProperty("unikernel.url"));

    private final HttpClient client = HttpClient.newHttpClient();

    @Test
    void greets() throws Exception {
        HttpResponse<String> response = get("/");
        assertEquals(200, response.statusCode());
        assertEquals("Hello from a unikernel\n", response.body());
    }

    @Test
    void describesTheMachine() throws Exception {
        String facts = get("/api/system").body();
        assertTrue(facts.contains("\"processors\":1,"), facts);
    }

    private HttpResponse<String> get(String path) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(UNIKERNEL.resolve(path)).build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }
}
