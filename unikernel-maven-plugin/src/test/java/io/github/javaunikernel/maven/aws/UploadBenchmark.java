// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import com.sun.net.httpserver.HttpServer;
import io.github.javaunikernel.maven.aws.fake.FakeAws;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Upload speed against the fake beside a plain copy over loopback HTTP with the same block size and as many threads, in
 * one run. Not a test: run by hand. Arguments: blocks (600), workers (16).
 */
public final class UploadBenchmark {
    private UploadBenchmark() {}

    public static void main(String[] arguments) throws Exception {
        int blocks = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 600;
        int workers = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 16;
        Path directory = Files.createTempDirectory("upload-benchmark");
        try {
            Deployments deployments = new Deployments(directory);
            deployments.workers = workers;
            deployments.incremental = false;
            for (int round = 0; round < 3; round++) {
                deployments.writeImage(round, blocks);
                List<BlockMap.Block> data = BlockMap.of(deployments.image).all();
                double mib = data.size() / 2.0;
                double plain = mib / seconds(() -> plainCopy(deployments.image, data, workers));
                try (FakeAws fake = new FakeAws()) {
                    AmiResult result = deployments.deployOne(fake);
                    System.out.printf(
                            "round %d: %.0f MiB; plain copy %.0f MiB/s; upload to the strict fake in this "
                                    + "process %.0f MiB/s; whole deploy %d ms%n",
                            round, mib, plain, mib / (result.sendMillis() / 1e3), result.totalMillis());
                }
            }
        } finally {
            try (var files = Files.walk(directory)) {
                for (Path file :
                        files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private interface Step {
        void run() throws Exception;
    }

    private static double seconds(Step step) throws Exception {
        long start = System.nanoTime();
        step.run();
        return (System.nanoTime() - start) / 1e9;
    }

    /** PUTs the blocks to a server that reads and drops them. */
    private static void plainCopy(Path image, List<BlockMap.Block> blocks, int workers) throws Exception {
        ExecutorService served = Executors.newCachedThreadPool();
        HttpServer sink = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 500);
        sink.setExecutor(served);
        sink.createContext("/", exchange -> {
            exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders(201, -1);
            exchange.close();
        });
        sink.start();
        ExecutorService senders = Executors.newFixedThreadPool(workers);
        try (FileChannel channel = FileChannel.open(image)) {
            HttpClient client =
                    HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
            URI uri = URI.create("http://127.0.0.1:" + sink.getAddress().getPort() + "/");
            AtomicInteger next = new AtomicInteger();
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < workers; i++) {
                running.add(senders.submit(() -> {
                    for (int at = next.getAndIncrement(); at < blocks.size(); at = next.getAndIncrement()) {
                        put(client, uri, BlockMap.read(channel, blocks.get(at).index()));
                    }
                    return null;
                }));
            }
            for (Future<?> sender : running) {
                sender.get();
            }
        } finally {
            senders.shutdownNow();
            sink.stop(0);
            served.shutdownNow();
        }
    }

    private static void put(HttpClient client, URI uri, byte[] block) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(uri)
                .PUT(HttpRequest.BodyPublishers.ofByteArray(block))
                .build();
        int status =
                client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
        if (status != 201) {
            throw new IOException("status " + status);
        }
    }
}
