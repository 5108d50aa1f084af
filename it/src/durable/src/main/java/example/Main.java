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
import java.nio.file.Path;
import java.util.Map;

/** Takes records and rows, answers when they are stored, and tells which there are. */
public final class Main {

    private interface Action {
        String run(int count) throws Exception;
    }

    private Main() {
    }

    public static void main(String[] arguments) throws Exception {
        Path state = Path.of(System.getProperty("state", "/state"));
        Records records = Records.start(state.resolve("kafka"));
        Rows rows = Rows.open(state.resolve("notes"));
        Map<String, Action> actions = Map.of(
                "/produce", records::produce,
                "/records", count -> records.check(),
                "/insert", rows::insert,
                "/rows", count -> rows.check());
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.getInteger("port", 8080)), 0);
        server.createContext("/", exchange -> answer(exchange, actions));
        server.start();
    }

    private static void answer(HttpExchange exchange, Map<String, Action> actions) throws IOException {
        int status = 200;
        String text;
        try {
            String query = exchange.getRequestURI().getQuery();
            text = actions.get(exchange.getRequestURI().getPath()).run(query == null ? 0 : Integer.parseInt(query));
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
