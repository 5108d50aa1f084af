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

/** Each path is one exercise of an engine; the query is its argument, the answer what it found. */
public final class Main {

    private interface Exercise {
        Object run(String argument) throws Exception;
    }

    private static final Map<String, Exercise> PATHS = Map.of(
            "/zookeeper", argument -> Coordination.write(Integer.parseInt(argument)),
            "/hazelcast", argument -> Grid.put(Integer.parseInt(argument)),
            "/hsqldb", argument -> Databases.hsqldb(Integer.parseInt(argument)),
            "/duckdb", argument -> Databases.duckdb(Integer.parseInt(argument)),
            "/chronicle", argument -> Journal.append(Integer.parseInt(argument)));

    private Main() {
    }

    public static void main(String[] arguments) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.getInteger("port", 8080)), 0);
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
