// SPDX-License-Identifier: Apache-2.0
package example;

import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

public final class Main {

    private Main() {
    }

    public static void main(String[] arguments) {
        WebServer.builder()
                .port(Integer.getInteger("port", 8080))
                .maxPayloadSize(10 << 20)
                .addRouting(HttpRouting.builder()
                        .get("/hello", (request, response) -> response.send(
                                "Hello by a virtual thread: " + Thread.currentThread().isVirtual()))
                        .get("/large", (request, response) -> response.send("0123456789abcdef".repeat(1000)))
                        .get("/pieces", (request, response) -> pieces(response))
                        .post("/echo", (request, response) -> response.send(request.content().as(String.class)))
                        .post("/count", Main::count))
                .build()
                .start();
    }

    private static void pieces(ServerResponse response) throws IOException {
        try (OutputStream out = response.outputStream()) {
            for (int i = 0; i < 1000; i++) {
                out.write(("piece " + i + "\n").getBytes(StandardCharsets.US_ASCII));
                out.flush();
            }
        }
    }

    private static void count(ServerRequest request, ServerResponse response) throws IOException {
        try (InputStream in = request.content().inputStream()) {
            response.send(in.transferTo(OutputStream.nullOutputStream()) + " bytes");
        }
    }
}
