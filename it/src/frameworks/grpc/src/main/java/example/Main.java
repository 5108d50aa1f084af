// SPDX-License-Identifier: Apache-2.0
package example;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executors;

/** Has calls made: {@code /EXERCISE?SERVER}, where {@code here} is the server in this program. */
public final class Main {

    private final io.grpc.Server here;

    private Main(io.grpc.Server here) {
        this.here = here;
    }

    public static void main(String[] arguments) throws Exception {
        Main main = new Main(Server.start(0));
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.getInteger("port", 8080)), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", main::answer);
        server.start();
    }

    private String call(String exercise, String server) throws Exception {
        String target = "here".equals(server) ? "127.0.0.1:" + here.getPort() : server;
        ManagedChannel channel = Grpc.newChannelBuilder(
                        target, TlsChannelCredentials.newBuilder().trustManager(Keys.trusted()).build())
                .overrideAuthority("localhost")
                .maxInboundMessageSize(Calls.LARGEST)
                .build();
        try {
            return new Exercises(channel).run(exercise);
        } finally {
            channel.shutdownNow();
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        int status = 200;
        String text;
        try {
            text = call(exchange.getRequestURI().getPath().substring(1), exchange.getRequestURI().getQuery());
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
