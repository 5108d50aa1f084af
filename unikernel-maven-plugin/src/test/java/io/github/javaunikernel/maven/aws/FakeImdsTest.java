// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.javaunikernel.maven.aws.fake.FakeImds;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The guest's kernel is tested against this fake, so it must be as strict as the service. */
class FakeImdsTest {
    private static final String LIFE = "X-aws-ec2-metadata-token-ttl-seconds";
    private static final String TOKEN = "X-aws-ec2-metadata-token";

    private final HttpClient client = HttpClient.newHttpClient();
    private FakeImds fake;

    @BeforeEach
    void start() throws IOException {
        fake = new FakeImds();
        fake.userData("A=1\n".getBytes(StandardCharsets.UTF_8));
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    @Test
    void userDataNeedsTheToken() throws Exception {
        String token = call("PUT", "/latest/api/token", LIFE, "60").body();
        assertEquals("A=1\n", call("GET", "/latest/user-data", TOKEN, token).body());
        assertEquals(401, call("GET", "/latest/user-data", TOKEN, token + "x").statusCode());
        assertEquals(401, call("GET", "/latest/user-data", "X-Other", "1").statusCode());
        assertEquals(403, call("GET", "/2021-07-15/user-data", TOKEN, token).statusCode());
        assertEquals(404, call("GET", "/latest/meta-data/", TOKEN, token).statusCode());
        fake.userData(null);
        assertEquals(404, call("GET", "/latest/user-data", TOKEN, token).statusCode());
        assertEquals(
                List.of(
                        "PUT /latest/api/token 200",
                        "GET /latest/user-data 200",
                        "GET /latest/user-data 401",
                        "GET /latest/user-data 401",
                        "GET /2021-07-15/user-data 403",
                        "GET /latest/meta-data/ 404",
                        "GET /latest/user-data 404"),
                fake.requests());
    }

    @Test
    void tokensNeedALife() throws Exception {
        assertEquals(400, call("PUT", "/latest/api/token", "X-Other", "1").statusCode());
        assertEquals(400, call("PUT", "/latest/api/token", LIFE, "0").statusCode());
        assertEquals(400, call("PUT", "/latest/api/token", LIFE, "21601").statusCode());
        assertEquals(200, call("PUT", "/latest/api/token", LIFE, "21600").statusCode());
        assertEquals(405, call("GET", "/latest/api/token", LIFE, "60").statusCode());
        assertEquals(
                403,
                call("PUT", "/latest/api/token", "X-Forwarded-For", "10.0.0.1").statusCode());
    }

    @Test
    void userDataIsLimited() {
        fake.userData(new byte[16384]);
        assertThrows(IllegalArgumentException.class, () -> fake.userData(new byte[16385]));
    }

    @Test
    void faultsAreWhatTheySay() throws Exception {
        String token = call("PUT", "/latest/api/token", LIFE, "60").body();
        fake.fault(FakeImds.Fault.CUT);
        assertThrows(IOException.class, () -> call("GET", "/latest/user-data", TOKEN, token));
        fake.fault(FakeImds.Fault.CHUNKED);
        assertEquals(
                "chunked",
                call("GET", "/latest/user-data", TOKEN, token)
                        .headers()
                        .firstValue("Transfer-Encoding")
                        .orElse("none"));
        fake.fault(FakeImds.Fault.OVERSIZE);
        assertEquals(
                16390, call("GET", "/latest/user-data", TOKEN, token).body().length());
        fake.fault(FakeImds.Fault.REDIRECT);
        assertEquals(302, call("GET", "/latest/user-data", TOKEN, token).statusCode());
        fake.fault(FakeImds.Fault.NO_TOKEN);
        assertEquals(404, call("PUT", "/latest/api/token", LIFE, "60").statusCode());
        fake.fault(FakeImds.Fault.OFF);
        assertEquals(403, call("PUT", "/latest/api/token", LIFE, "60").statusCode());
    }

    private HttpResponse<String> call(String method, String path, String header, String value) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(fake.endpoint().resolve(path))
                .header(header, value)
                .method(method, BodyPublishers.noBody())
                .build();
        return client.send(request, BodyHandlers.ofString());
    }
}
