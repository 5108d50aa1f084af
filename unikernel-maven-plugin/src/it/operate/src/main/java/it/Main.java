// SPDX-License-Identifier: Apache-2.0
package it;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;

/** A server with the faults that the manual finds, each of which begins at a request. */
public final class Main {

    /** What leaks. */
    private static final class Session {}

    private static final List<Session> KEPT = Collections.synchronizedList(new ArrayList<>());
    private static volatile boolean spins;
    private static volatile long turns;

    private interface Action {
        void run() throws InterruptedException;
    }

    private Main() {}

    public static void main(String[] args) throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", exchange -> answer(exchange, () -> {}));
        server.createContext("/deadlock", exchange -> answer(exchange, Main::lockEachOtherOut));
        server.createContext("/spin", exchange -> answer(exchange, Main::spin));
        server.createContext("/rest", exchange -> answer(exchange, () -> spins = false));
        server.createContext("/leak", exchange -> answer(exchange, Main::leak));
        server.createContext("/endless", Main::sendWithoutEnd);
        server.start();
        System.out.println("Serving");
    }

    private static void answer(HttpExchange exchange, Action action) throws IOException {
        try {
            action.run();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        exchange.sendResponseHeaders(204, -1);
        exchange.close();
    }

    private static void start(String name, Action action) {
        Thread thread = new Thread(
                () -> {
                    try {
                        action.run();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    private static void lockEachOtherOut() {
        Object orders = new Object();
        Object stock = new Object();
        CountDownLatch bothHold = new CountDownLatch(2);
        start("takes-orders", () -> hold(orders, stock, bothHold));
        start("counts-stock", () -> hold(stock, orders, bothHold));
    }

    private static void hold(Object first, Object second, CountDownLatch bothHold) throws InterruptedException {
        synchronized (first) {
            bothHold.countDown();
            bothHold.await();
            synchronized (second) {
                throw new IllegalStateException("no deadlock");
            }
        }
    }

    private static void spin() {
        spins = true;
        start("spins", () -> {
            while (spins) {
                turns++;
            }
        });
    }

    private static void leak() {
        for (int i = 0; i < 10_000; i++) {
            KEPT.add(new Session());
        }
    }

    private static void sendWithoutEnd(HttpExchange exchange) throws IOException {
        Thread.currentThread().setName("sends-report");
        exchange.sendResponseHeaders(200, 0);
        byte[] piece = new byte[8192];
        try (OutputStream out = exchange.getResponseBody()) {
            while (true) {
                out.write(piece);
            }
        }
    }
}
