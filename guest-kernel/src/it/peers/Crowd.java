// SPDX-License-Identifier: Apache-2.0
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The JDK's own web server, for a crowd of clients. {@code /NUMBER} answers {@code answer NUMBER}; {@code /statistics}
 * has a line about memory and sockets, after a garbage collection; {@code /quit} ends the program.
 */
public final class Crowd {
    private Crowd() {}

    public static void main(String[] arguments) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(arguments[0])), 1024);
        server.createContext("/", Crowd::answer);
        server.createContext("/statistics", Crowd::statistics);
        server.createContext("/quit", exchange -> System.exit(0));
        server.start();
        System.out.println("serving");
    }

    private static void answer(HttpExchange exchange) throws IOException {
        reply(exchange, "answer " + exchange.getRequestURI().getPath().substring(1) + "\n");
    }

    private static void statistics(HttpExchange exchange) throws IOException {
        System.gc();
        List<String> sockets = Files.readAllLines(Path.of("/proc/net/tcp"));
        String free = Files.readAllLines(Path.of("/proc/meminfo")).stream()
                .filter(line -> line.startsWith("MemFree:"))
                .findFirst()
                .orElseThrow()
                .replaceAll("[^0-9]", "");
        Runtime runtime = Runtime.getRuntime();
        reply(
                exchange,
                "free " + free + " heap " + (runtime.totalMemory() - runtime.freeMemory()) / 1024
                        + " established " + count(sockets, "01") + " time-wait " + count(sockets, "06")
                        + " all " + (sockets.size() - 1) + "\n");
    }

    /** The fourth word of a line is the socket's state. */
    private static long count(List<String> sockets, String state) {
        return sockets.stream()
                .filter(line -> line.strip().split(" +")[3].equals(state))
                .count();
    }

    private static void reply(HttpExchange exchange, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.US_ASCII);
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }
}
