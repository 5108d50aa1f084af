// SPDX-License-Identifier: Apache-2.0
package example;

import io.grpc.Grpc;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.TlsServerCredentials;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;

/** The server of both sides: health, which gRPC defines, and the service of {@link Calls}, over TLS. */
public final class Server {

    private Server() {
    }

    public static void main(String[] arguments) throws Exception {
        start(Integer.getInteger("port")).awaitTermination();
    }

    static io.grpc.Server start(int port) throws Exception {
        HealthStatusManager health = new HealthStatusManager();
        health.setStatus(Calls.SERVICE, ServingStatus.SERVING);
        return Grpc.newServerBuilderForPort(port, TlsServerCredentials.newBuilder().keyManager(Keys.keys()).build())
                .maxInboundMessageSize(Calls.LARGEST)
                .addService(health.getHealthService())
                .addService(service())
                .build()
                .start();
    }

    private static ServerServiceDefinition service() {
        return ServerServiceDefinition.builder(Calls.SERVICE)
                .addMethod(Calls.ECHO, ServerCalls.asyncBidiStreamingCall(Echo::new))
                .addMethod(Calls.REVERSE, ServerCalls.asyncUnaryCall(Server::reverse))
                .addMethod(Calls.NEVER, ServerCalls.asyncUnaryCall((request, answers) -> { }))
                .addMethod(Calls.FAIL, ServerCalls.asyncUnaryCall((request, answers) -> answers.onError(
                        Status.DATA_LOSS.withDescription(new String(request, StandardCharsets.UTF_8)).asException())))
                .build();
    }

    private static void reverse(byte[] request, StreamObserver<byte[]> answers) {
        byte[] reversed = new byte[request.length];
        for (int i = 0; i < request.length; i++) {
            reversed[i] = request[request.length - 1 - i];
        }
        answers.onNext(reversed);
        answers.onCompleted();
    }

    private record Echo(StreamObserver<byte[]> answers) implements StreamObserver<byte[]> {
        @Override
        public void onNext(byte[] message) {
            answers.onNext(message);
        }

        @Override
        public void onError(Throwable failure) {
            answers.onError(failure);
        }

        @Override
        public void onCompleted() {
            answers.onCompleted();
        }
    }
}
