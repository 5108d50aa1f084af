// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

/**
 * Uses up the kinds of memory that the variable LAB_EXHAUST names, one after the other, and sees that the program can
 * go on after each. What happened is printed, one line each.
 */
public final class Exhaustion {

    private static final int MEBI = 1 << 20;
    private static final int MOST_CONNECTIONS = 10_000;
    /** A second round reaches at least this share of the first, when memory came back. */
    private static final double BACK = 0.9;

    /** What the optimiser must not see through. */
    private static volatile Object sink;

    private interface Kind {
        String exhaust() throws Exception;
    }

    private Exhaustion() {}

    /** Ends when all is used up that was asked for. */
    public static void main(String[] arguments) throws Exception {
        for (String name : System.getenv("LAB_EXHAUST").split(",")) {
            System.out.println("app: " + name + ": begins");
            System.out.println("app: " + name + ": " + kind(name).exhaust());
            goOn();
            System.out.println("app: " + name + ": goes on");
        }
        System.out.println("app: done");
    }

    private static Kind kind(String name) {
        return switch (name) {
            case "heap" -> Exhaustion::heap;
            case "metaspace" -> Exhaustion::metaspace;
            case "threads" -> () -> twice(Exhaustion::threads);
            case "direct" -> Exhaustion::direct;
            case "files" -> () -> twice(Exhaustion::files);
            case "sockets" -> () -> twice(Exhaustion::sockets);
            case "cache" -> Exhaustion::cache;
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** How much there was, and how it ended. */
    private record Outcome(int amount, String end) {}

    private interface Round {
        Outcome run() throws Exception;
    }

    private static String twice(Round round) throws Exception {
        Outcome first = round.run();
        System.gc();
        goOn();
        Outcome second = round.run();
        String back = second.amount >= first.amount * BACK ? "memory is back" : "memory is lost";
        return first.amount + " and " + second.amount + ", " + back + ", " + second.end;
    }

    /** A program that goes on has memory, threads, files and the network. */
    private static void goOn() throws Exception {
        sink = new byte[MEBI];
        sink = null;
        Path file = Files.writeString(Files.createTempFile("goes", "on"), "goes on");
        String[] answer = new String[1];
        try (ServerSocketChannel server = listen()) {
            Thread client = new Thread(() -> answer[0] = ask(server));
            client.start();
            try (SocketChannel peer = server.accept()) {
                peer.write(ByteBuffer.wrap(Files.readAllBytes(file)));
            }
            client.join();
        }
        Files.delete(file);
        if (!"goes on".equals(answer[0])) {
            throw new IllegalStateException("got " + answer[0]);
        }
    }

    private static ServerSocketChannel listen() throws IOException {
        return ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    private static String ask(ServerSocketChannel server) {
        try (SocketChannel client = SocketChannel.open(server.getLocalAddress());
                InputStream in = client.socket().getInputStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static String heap() {
        List<byte[]> kept = new ArrayList<>();
        try {
            while (true) {
                kept.add(new byte[MEBI / 2]);
            }
        } catch (OutOfMemoryError e) {
            long size = kept.size() / 2;
            kept.clear();
            return size + " of " + Runtime.getRuntime().maxMemory() / MEBI + " MiB, " + e;
        }
    }

    /** Loads one class again and again, each time by another loader. */
    private static String metaspace() throws IOException {
        byte[] code;
        try (InputStream in = Exhaustion.class.getResourceAsStream("Pattern.class")) {
            code = in.readAllBytes();
        }
        List<Class<?>> kept = new ArrayList<>();
        try {
            while (true) {
                kept.add(new Loader().define(code));
            }
        } catch (OutOfMemoryError e) {
            kept.clear();
            return e.toString();
        }
    }

    private static final class Loader extends ClassLoader {
        Class<?> define(byte[] code) {
            return defineClass(null, code, 0, code.length);
        }
    }

    private static Outcome threads() throws InterruptedException {
        CountDownLatch end = new CountDownLatch(1);
        List<Thread> started = new ArrayList<>();
        String message = null;
        while (message == null) {
            Thread thread = new Thread(() -> await(end));
            try {
                thread.start();
                started.add(thread);
            } catch (OutOfMemoryError e) {
                message = e.toString();
            }
        }
        end.countDown();
        for (Thread thread : started) {
            thread.join();
        }
        return new Outcome(started.size(), message);
    }

    private static void await(CountDownLatch end) {
        try {
            end.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static String direct() {
        List<ByteBuffer> kept = new ArrayList<>();
        try {
            while (true) {
                kept.add(ByteBuffer.allocateDirect(MEBI));
            }
        } catch (OutOfMemoryError e) {
            int size = kept.size();
            kept.clear();
            System.gc();
            return size + " MiB, " + e;
        }
    }

    /** The amount is in MiB. */
    private static Outcome files() throws IOException {
        byte[] piece = Pattern.bytes(1, MEBI);
        Path file = Files.createTempFile("exhaust", null);
        int written = 0;
        try (OutputStream out = Files.newOutputStream(file)) {
            while (true) {
                out.write(piece);
                written++;
            }
        } catch (IOException e) {
            return new Outcome(written, e.toString());
        } finally {
            Files.delete(file);
        }
    }

    /** The amount counts pairs of a client and a server. */
    private static Outcome sockets() throws IOException {
        List<SocketChannel> open = new ArrayList<>();
        String message = "all connected";
        try (ServerSocketChannel server = listen()) {
            while (open.size() < 2 * MOST_CONNECTIONS) {
                open.add(SocketChannel.open(server.getLocalAddress()));
                open.add(server.accept());
            }
        } catch (IOException e) {
            message = e.toString();
        }
        int pairs = open.size() / 2;
        for (SocketChannel channel : open) {
            channel.close();
        }
        return new Outcome(pairs, message);
    }

    /** Reads all files of the runtime, so that they fill the memory, which the heap then takes from them. */
    private static String cache() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("/jvm"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                read(file);
            }
        }
        long free = mebibytes("MemFree:");
        long cached = mebibytes("Cached:");
        String filled = heap();
        return "free " + free + " MiB, cached " + cached + " MiB, then heap " + filled;
    }

    private static void read(Path file) throws IOException {
        byte[] buffer = new byte[MEBI / 16];
        try (InputStream in = Files.newInputStream(file)) {
            int count;
            do {
                count = in.read(buffer);
            } while (count >= 0);
        }
    }

    private static long mebibytes(String name) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/meminfo"))) {
            if (line.startsWith(name)) {
                return Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024;
            }
        }
        throw new IOException("/proc/meminfo has no " + name);
    }
}
