// SPDX-License-Identifier: Apache-2.0
package it;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.time.Instant;
import java.util.List;

public class Main {
    public static void main(String[] args) throws IOException {
        if (args.length > 0) {
            System.exit(check(List.of(args)));
        }
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/health", exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.createContext("/end", exchange -> {
            System.out.println("Asked for the end");
            Runtime.getRuntime().halt(5);
        });
        server.start();
    }

    private static int check(List<String> parts) throws IOException {
        for (String part : parts) {
            if (!isInOrder(part)) {
                System.out.println("The " + part + " is not in order");
                return 4;
            }
            System.out.println("The " + part + " is in order");
        }
        return 0;
    }

    private static boolean isInOrder(String part) throws IOException {
        return switch (part) {
            case "clock" -> Instant.now().isAfter(Instant.parse("2020-01-01T00:00:00Z"));
            case "files" -> Files.size(Files.createTempFile("check", "")) == 0;
            default -> false;
        };
    }
}
