package ${package};

import static org.junit.jupiter.api.Assertions.assertEquals;

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
        HttpResponse<String> response = client.send(
                HttpRequest.newBuilder(UNIKERNEL).build(), HttpResponse.BodyHandlers.ofString());
        assertEquals(200, response.statusCode());
        assertEquals("Hello from a unikernel\n", response.body());
    }
}
