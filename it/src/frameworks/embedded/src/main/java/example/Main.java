// SPDX-License-Identifier: Apache-2.0
package example;

import io.undertow.Handlers;
import io.undertow.Undertow;
import io.undertow.server.HttpHandler;
import io.undertow.server.HttpServerExchange;
import io.undertow.server.handlers.BlockingHandler;
import io.undertow.util.Headers;
import io.undertow.websockets.core.AbstractReceiveListener;
import io.undertow.websockets.core.BufferedTextMessage;
import io.undertow.websockets.core.WebSocketChannel;
import io.undertow.websockets.core.WebSockets;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;

/** Undertow, behind whose paths are other servers and libraries; the query is an exercise's argument. */
public final class Main {

    private interface Exercise {
        String run(String argument) throws Exception;
    }

    private Main() {
    }

    public static void main(String[] arguments) {
        Undertow.builder()
                .addHttpListener(Integer.getInteger("port", 8080), "0.0.0.0")
                .setHandler(Handlers.path()
                        .addExactPath("/lucene", exercise(argument -> Index.search(Integer.parseInt(argument))))
                        .addExactPath("/h2", exercise(argument -> Database.store(argument.split(";")[0],
                                Integer.parseInt(argument.split(";")[1]))))
                        .addExactPath("/sshd", exercise(argument -> Shell.exchange(Integer.parseInt(argument))))
                        .addExactPath("/artemis", exercise(argument -> Broker.send(Integer.parseInt(argument))))
                        .addExactPath("/echo", new BlockingHandler(Main::echo))
                        .addExactPath("/count", new BlockingHandler(Main::count))
                        .addExactPath("/socket", Handlers.websocket((exchange, channel) -> {
                            channel.getReceiveSetter().set(new Echo());
                            channel.resumeReceives();
                        })))
                .build()
                .start();
    }

    private static HttpHandler exercise(Exercise exercise) {
        return new BlockingHandler(exchange -> {
            String text;
            try {
                text = exercise.run(exchange.getQueryString());
            } catch (Exception | Error e) {
                StringWriter trace = new StringWriter();
                e.printStackTrace(new PrintWriter(trace, true));
                exchange.setStatusCode(500);
                text = trace.toString();
            }
            exchange.getResponseHeaders().put(Headers.CONTENT_TYPE, "text/plain; charset=utf-8");
            exchange.getResponseSender().send(text, StandardCharsets.UTF_8);
        });
    }

    private static void echo(HttpServerExchange exchange) throws IOException {
        exchange.getInputStream().transferTo(exchange.getOutputStream());
    }

    private static void count(HttpServerExchange exchange) throws IOException {
        try (InputStream in = exchange.getInputStream()) {
            exchange.getResponseSender().send(Long.toString(in.transferTo(OutputStream.nullOutputStream())));
        }
    }

    private static final class Echo extends AbstractReceiveListener {
        @Override
        protected void onFullTextMessage(WebSocketChannel channel, BufferedTextMessage message) {
            WebSockets.sendText("echo " + message.getData(), channel, null);
        }
    }
}
