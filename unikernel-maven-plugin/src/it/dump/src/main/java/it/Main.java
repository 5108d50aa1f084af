// SPDX-License-Identifier: Apache-2.0
package it;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.lang.reflect.Field;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;
import sun.misc.Unsafe;

/** Serves requests with a known number of objects in its heap, and two threads that wait for each other. */
public class Main {
    /** What is counted in the dumps. */
    static final class Marked {}

    private static final int COUNT = 12345;
    private static final List<Marked> KEPT = new ArrayList<>();

    public static void main(String[] args) throws IOException, InterruptedException {
        for (int i = 0; i < COUNT; i++) {
            KEPT.add(new Marked());
        }
        ReentrantLock first = new ReentrantLock();
        ReentrantLock second = new ReentrantLock();
        CountDownLatch both = new CountDownLatch(2);
        startHolding("holds-first", first, second, both);
        startHolding("holds-second", second, first, both);
        both.await();
        HttpServer server = HttpServer.create(new InetSocketAddress(8080), 0);
        server.createContext("/", exchange -> {
            byte[] answer = String.valueOf(KEPT.size()).getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.createContext("/crash", exchange -> crash());
        server.start();
    }

    /** Has the JVM itself write where there is no memory. */
    private static void crash() {
        try {
            Field field = Unsafe.class.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            ((Unsafe) field.get(null)).putLong(16, 1);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void startHolding(String name, ReentrantLock held, ReentrantLock wanted, CountDownLatch both) {
        Thread thread = new Thread(
                () -> {
                    held.lock();
                    both.countDown();
                    try {
                        both.await();
                        wanted.lockInterruptibly();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }
}
