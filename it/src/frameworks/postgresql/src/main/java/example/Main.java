// SPDX-License-Identifier: Apache-2.0
package example;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Executors;

/** Each path is one exercise of {@link Exercises}; the query is its argument, the answer what it found. */
public final class Main {

    private interface Exercise {
        Object run(String argument) throws Exception;
    }

    private static final Exercises EXERCISES = new Exercises();
    private static final Map<String, Exercise> PATHS = Map.ofEntries(
            Map.entry("/connect", EXERCISES::connect),
            Map.entry("/types", argument -> EXERCISES.types()),
            Map.entry("/batch", argument -> EXERCISES.batch(Integer.parseInt(argument))),
            Map.entry("/bytes", argument -> EXERCISES.bytes(Integer.parseInt(argument))),
            Map.entry("/large-object", argument -> EXERCISES.largeObject(Integer.parseInt(argument))),
            Map.entry("/times", argument -> EXERCISES.times()),
            Map.entry("/texts", argument -> EXERCISES.texts()),
            Map.entry("/rollback", argument -> EXERCISES.rollback()),
            Map.entry("/constraint", argument -> EXERCISES.constraint()),
            Map.entry("/copy", argument -> EXERCISES.copy(Integer.parseInt(argument))),
            Map.entry("/cursor", argument -> EXERCISES.cursor(Integer.parseInt(argument))),
            Map.entry("/concurrent", argument -> EXERCISES.concurrent(Integer.parseInt(argument))),
            Map.entry("/cancel", argument -> EXERCISES.cancel()),
            Map.entry("/notify", argument -> EXERCISES.notification()),
            Map.entry("/lost", argument -> EXERCISES.lost()),
            Map.entry("/close", argument -> EXERCISES.close()));

    private Main() {
    }

    public static void main(String[] arguments) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.getInteger("port", 8080)), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", Main::answer);
        server.start();
    }

    private static void answer(HttpExchange exchange) throws IOException {
        int status = 200;
        String text;
        try {
            text = PATHS.get(exchange.getRequestURI().getPath()).run(exchange.getRequestURI().getQuery()).toString();
        } catch (Exception | Error e) {
            status = 500;
            StringWriter trace = new StringWriter();
            e.printStackTrace(new PrintWriter(trace, true));
            text = trace.toString();
        }
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        exchange.sendResponseHeaders(status, body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body);
        }
    }
}
