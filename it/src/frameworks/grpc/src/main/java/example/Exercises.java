// SPDX-License-Identifier: Apache-2.0
package example;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.handler.ssl.OpenSsl;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;

/** What a client does with a server; each returns what came of it. */
final class Exercises {

    private static final int MESSAGES = 1000;
    private static final int TOGETHER = 50;
    private static final int LARGE = 5_000_000;
    private static final HealthCheckRequest REQUEST =
            HealthCheckRequest.newBuilder().setService(Calls.SERVICE).build();

    private final ManagedChannel channel;

    Exercises(ManagedChannel channel) {
        this.channel = channel;
    }

    String run(String name) throws Exception {
        return switch (name) {
            case "transport" -> "epoll " + Epoll.isAvailable() + ", tcnative " + OpenSsl.isAvailable();
            case "health" -> HealthGrpc.newBlockingStub(channel).check(REQUEST).getStatus().name();
            case "watch" -> watch();
            case "echo" -> echo();
            case "large" -> large();
            case "together" -> together();
            case "deadline" -> status(Calls.NEVER, CallOptions.DEFAULT.withDeadlineAfter(200, TimeUnit.MILLISECONDS));
            case "error" -> status(Calls.FAIL, CallOptions.DEFAULT);
            case "missing" -> status(Calls.MISSING, CallOptions.DEFAULT);
            default -> throw new IllegalArgumentException(name);
        };
    }

    /** The first answer of a call that has no end, which is then given up. */
    private String watch() {
        Iterator<HealthCheckResponse> answers = HealthGrpc.newBlockingStub(channel).watch(REQUEST);
        return answers.next().getStatus().name();
    }

    private String echo() throws Exception {
        List<String> received = new ArrayList<>();
        CompletableFuture<List<String>> all = new CompletableFuture<>();
        StreamObserver<byte[]> requests = ClientCalls.asyncBidiStreamingCall(
                channel.newCall(Calls.ECHO, CallOptions.DEFAULT), new StreamObserver<>() {
                    @Override
                    public void onNext(byte[] message) {
                        received.add(new String(message, StandardCharsets.UTF_8));
                    }

                    @Override
                    public void onError(Throwable failure) {
                        all.completeExceptionally(failure);
                    }

                    @Override
                    public void onCompleted() {
                        all.complete(received);
                    }
                });
        for (int i = 0; i < MESSAGES; i++) {
            requests.onNext(("Grüße " + i).getBytes(StandardCharsets.UTF_8));
        }
        requests.onCompleted();
        return String.join("\n", all.get());
    }

    private byte[] reverse(byte[] message) {
        return ClientCalls.blockingUnaryCall(channel, Calls.REVERSE, CallOptions.DEFAULT, message);
    }

    private String large() {
        byte[] message = new byte[LARGE];
        new Random(LARGE).nextBytes(message);
        byte[] answer = reverse(message);
        CRC32 sum = new CRC32();
        sum.update(answer);
        return answer.length + " " + sum.getValue();
    }

    private String together() throws Exception {
        List<Future<byte[]>> answers = new ArrayList<>();
        for (int i = 0; i < TOGETHER; i++) {
            answers.add(ClientCalls.futureUnaryCall(channel.newCall(Calls.REVERSE, CallOptions.DEFAULT),
                    Integer.toString(1000 + i).getBytes(StandardCharsets.US_ASCII)));
        }
        StringBuilder text = new StringBuilder();
        for (Future<byte[]> answer : answers) {
            text.append(new String(answer.get(), StandardCharsets.US_ASCII)).append('\n');
        }
        return text.toString();
    }

    /** How the call fails; the description of a deadline has times and addresses in it. */
    private String status(MethodDescriptor<byte[], byte[]> method, CallOptions options) {
        try {
            ClientCalls.blockingUnaryCall(channel, method, options, "Grüße".getBytes(StandardCharsets.UTF_8));
            return "no failure";
        } catch (StatusRuntimeException e) {
            return e.getStatus().getCode() + (method == Calls.NEVER ? "" : " " + e.getStatus().getDescription());
        }
    }
}
