package ${package};

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/** The JDK's webserver with the pages of this application. */
public final class WebServer implements AutoCloseable {

    private static final int SECONDS_TO_FINISH = 5;

    private final HttpServer server;
    private final ExecutorService threads;
    private final Settings settings;
    private final long started = System.nanoTime();

    /** Makes a server that does not listen yet. */
    public WebServer(Settings settings) throws IOException {
        this.settings = settings;
        threads = Executors.newFixedThreadPool(settings.threads());
        server = HttpServer.create();
        server.setExecutor(threads);
        server.createContext("/", exact("/", this::greet));
        server.createContext("/health", exact("/health", exchange -> answer(exchange, 200, "text/plain", "ok\n")));
        server.createContext("/api/system", exact("/api/system", this::describeSystem));
    }

    /** Starts listening on the port in the settings. */
    public void start() throws IOException {
        server.bind(new InetSocketAddress(settings.port()), 0);
        server.start();
    }

    /** The port on which the server listens, once it is started. */
    public int port() {
        return server.getAddress().getPort();
    }

    /** Waits for requests that are being answered, then stops the server. */
    @Override
    public void close() {
        threads.shutdown();
        try {
            threads.awaitTermination(SECONDS_TO_FINISH, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        server.stop(0);
    }

    private void greet(HttpExchange exchange) throws IOException {
        answer(exchange, 200, "text/plain", settings.greeting() + "\n");
    }

    private void describeSystem(HttpExchange exchange) throws IOException {
        Runtime runtime = Runtime.getRuntime();
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("java", Runtime.version().toString());
        facts.put("vm", System.getProperty("java.vm.name"));
        facts.put("processors", runtime.availableProcessors());
        facts.put("maxHeapBytes", runtime.maxMemory());
        facts.put("uptimeMillis", (System.nanoTime() - started) / 1_000_000);
        answer(exchange, 200, "application/json", json(facts) + "\n");
    }

    /** A context also receives requests for all paths below its own; this handler answers those with 404. */
    private static HttpHandler exact(String path, HttpHandler handler) {
        return exchange -> {
            boolean found = exchange.getRequestURI().getPath().equals(path);
            if (!found) {
                answer(exchange, 404, "text/plain", "not found\n");
            } else if (!exchange.getRequestMethod().matches("GET|HEAD")) {
                exchange.getResponseHeaders().set("Allow", "GET, HEAD");
                answer(exchange, 405, "text/plain", "method not allowed\n");
            } else {
                handler.handle(exchange);
            }
        };
    }

    private static void answer(HttpExchange exchange, int status, String type, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type + "; charset=utf-8");
        boolean bodyWanted = !exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(status, bodyWanted ? body.length : -1);
        try (OutputStream out = exchange.getResponseBody()) {
            if (bodyWanted) {
                out.write(body);
            }
        }
    }

    private static String json(Map<String, Object> facts) {
        return facts.entrySet().stream()
                .map(fact -> quoted(fact.getKey()) + ":" + (fact.getValue() instanceof Number number
                        ? number.toString() : quoted(String.valueOf(fact.getValue()))))
                .collect(Collectors.joining(",", "{", "}"));
    }

    private static String quoted(String text) {
        StringBuilder quoted = new StringBuilder().append('"');
        for (char c : text.toCharArray()) {
            if (c == '"' || c < ' ' || c > '~' || c == '\\') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
