// SPDX-License-Identifier: Apache-2.0
package example;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;

public final class Main {

    private Main() {
    }

    public static void main(String[] arguments) {
        Vertx vertx = Vertx.vertx(new VertxOptions().setPreferNativeTransport(true));
        vertx.createHttpServer(new HttpServerOptions().setTcpCork(true).setTcpQuickAck(true).setReusePort(true))
                .requestHandler(request -> answer(vertx, request))
                .webSocketHandler(socket -> socket.textMessageHandler(text -> socket.writeTextMessage("echo " + text)))
                .listen(Integer.getInteger("port", 8080), "0.0.0.0")
                .onFailure(failure -> {
                    failure.printStackTrace();
                    System.exit(1);
                });
    }

    private static void answer(Vertx vertx, HttpServerRequest request) {
        HttpServerResponse response = request.response().putHeader("content-type", "text/plain; charset=utf-8");
        switch (request.path()) {
            case "/transport" -> response.end("native " + vertx.isNativeTransportEnabled());
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
