// SPDX-License-Identifier: Apache-2.0
package example;

import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;

public final class Main {

    private static final int PORT = Integer.getInteger("port", 8080);

    private Main() {
    }

    public static void main(String[] arguments) {
        Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
        vertx.createHttpServer(new HttpServerOptions().setTcpCork(true).setTcpQuickAck(true).setReusePort(true))
                .requestHandler(request -> answer(vertx, request))
                .webSocketHandler(socket -> socket.textMessageHandler(text -> socket.writeTextMessage("echo " + text)))
                .listen(PORT, "::")
                .onFailure(failure -> {
                    failure.printStackTrace();
                    System.exit(1);
                });
    }

    private static void answer(Vertx vertx, HttpServerRequest request) {
        HttpServerResponse response = request.response().putHeader("content-type", "text/plain; charset=utf-8");
        switch (request.path()) {
            case "/transport" -> response.end("native " + vertx.isNativeTransportEnabled());
            case "/family" -> response.end(familyOf(request.remoteAddress().hostAddress()));
            case "/families" -> families(vertx).onSuccess(response::end)
                    .onFailure(failure -> response.setStatusCode(500).end(failure.toString()));
            case "/hello" -> response.end("Hello");
            case "/large" -> response.end(Buffer.buffer("0123456789abcdef".repeat(50_000)));
            case "/echo" -> request.body().onSuccess(response::end);
            case "/chunked" -> {
                response.setChunked(true);
                chunk(vertx, response, 0);
            }
            default -> response.setStatusCode(404).end();
        }
    }

    private static String familyOf(String address) {
        try {
            return InetAddress.getByName(address) instanceof Inet6Address ? "IPv6" : "IPv4";
        } catch (UnknownHostException e) {
            throw new IllegalStateException(address, e);
        }
    }

    /** As its own client over each family: what the server takes the client for. */
    private static Future<String> families(Vertx vertx) {
        HttpClient client = vertx.createHttpClient();
        return family(client, "127.0.0.1")
                .compose(first -> family(client, "::1").map(second -> first + " " + second))
                .onComplete(done -> client.close());
    }

    private static Future<String> family(HttpClient client, String address) {
        return client.request(HttpMethod.GET, PORT, address, "/family")
                .compose(HttpClientRequest::send)
                .compose(HttpClientResponse::body)
                .map(Buffer::toString);
    }

    /** Small pieces with time between them: a corked one has to leave by itself. */
    private static void chunk(Vertx vertx, HttpServerResponse response, int number) {
        if (number == 5) {
            response.end("end");
            return;
        }
        response.write("piece " + number + "\n").onSuccess(
                done -> vertx.setTimer(20, timer -> chunk(vertx, response, number + 1)));
    }
}
