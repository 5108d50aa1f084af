// SPDX-License-Identifier: Apache-2.0
package it;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;

public class Main {
    public static void main(String[] args) throws IOException {
        if (args.length > 0) {
            System.out.print("unikernel: timing listen=1\nunikernel: exit status=0\nlistening 8080\nexit 0\n"
                    + "I cannot go on");
            System.exit(Integer.parseInt(args[0]));
        }
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/health", exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.print("The hook has run")));
        // Neither here nor at the end does a line end: what is there is shown all the same.
        System.out.print("Here I am\u001b[0m");
    }
}
