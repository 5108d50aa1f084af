// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * EBS direct, EC2 Query, S3 and STS over real loopback HTTP, strict: signatures, checksums, counts, tokens and every
 * field are checked, and a field nobody expects is an error. All regions are at one address; the signature names region
 * and service. Snapshots keep their blocks, so that the volume can be read back.
 */
public final class FakeAws implements AutoCloseable {
    public static final String ACCESS_KEY = "AKIDFAKEFAKEFAKEFAKE";
    public static final String SECRET_KEY = "fakeSecretDoNotPrint/0123456789+abcdefgh";
    /** What AssumeRole hands out. */
    public static final String ROLE_ACCESS_KEY = "ASIAFAKEROLEFAKEROLE";

    public static final String ROLE_SECRET_KEY = "fakeRoleSecretDoNotPrint/987654321";
    public static final String ROLE_TOKEN = "fakeSessionTokenDoNotPrint==";
    public static final String ACCOUNT = "123456789012";

    static {
        // the JDK's server delays small answers by 40 ms otherwise
        System.setProperty("sun.net.httpserver.nodelay", "true");
        System.setProperty("sun.net.httpserver.maxIdleConnections", "1000");
    }

    private final HttpServer server;
    private final ExecutorService pool = Executors.newCachedThreadPool();
    private final Map<String, FakeRegion> regions = new ConcurrentHashMap<>();
    private final FakeS3 s3 = new FakeS3();
    private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
    private final List<String> denied = Collections.synchronizedList(new ArrayList<>());
    private volatile Trouble trouble = Trouble.none();

    public FakeAws() throws IOException {
        this(0);
    }

    /** @param port 0 for any free one */
    public FakeAws(int port) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 500);
        server.setExecutor(pool);
        server.createContext("/", this::handle);
        server.start();
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    public FakeRegion region(String name) {
        return regions.computeIfAbsent(name, FakeRegion::new);
    }

    public FakeS3 s3() {
        return s3;
    }

    public void trouble(Trouble next) {
        trouble = next;
    }

    /** From now on the caller may not do this action, such as {@code RegisterImage}. */
    public void deny(String action) {
        denied.add(action);
    }

    public void allowAll() {
        denied.clear();
    }

    /** Every accepted call as {@code region action}, in order. */
    public List<String> calls() {
        return List.copyOf(calls);
    }

    public long count(String action) {
        return calls().stream().filter(call -> call.endsWith(' ' + action)).count();
    }

    /** Waits until an action was accepted so many times; true when it was in time. */
    public boolean awaitCalls(String action, int atLeast, Duration time) throws InterruptedException {
        long end = System.nanoTime() + time.toNanos();
        synchronized (calls) {
            while (count(action) < atLeast) {
                long left = (end - System.nanoTime()) / 1_000_000;
                if (left <= 0) {
                    return false;
                }
                calls.wait(left);
            }
            return true;
        }
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            Request request = new Request(exchange);
            if (request.path.startsWith("/_fake/")) {
                send(exchange, FakeInspection.answer(this, request));
                return;
            }
            Trouble.Kind kind = trouble.next();
            if (kind == Trouble.Kind.CUT_BEFORE) {
                return;
            }
            Reply reply = answer(request, kind);
            if (kind == Trouble.Kind.CUT_AFTER) {
                return;
            }
            send(exchange, reply);
        }
    }

    private Reply answer(Request request, Trouble.Kind kind) {
        String authorization = String.valueOf(request.header("Authorization"));
        String service = authorization.replaceFirst("(?s).*Credential=[^/]+/[^/]+/[^/]+/([^/]+)/.*", "$1");
        try {
            boolean role = authorization.contains(ROLE_ACCESS_KEY);
            SignatureV4.Scope scope = SignatureV4.verify(
                    request,
                    Map.of(ACCESS_KEY, SECRET_KEY, ROLE_ACCESS_KEY, ROLE_SECRET_KEY),
                    role ? ROLE_TOKEN : null);
            befall(kind, scope.service());
            Reply reply = dispatch(scope, request);
            if (kind == Trouble.Kind.ERROR_AFTER) {
                throw new AwsFault(500, "InternalServerException", "injected after the deed");
            }
            return reply;
        } catch (AwsFault e) {
            return error(service, e);
        } catch (RuntimeException e) {
            e.printStackTrace();
            return error(service, new AwsFault(400, "FakeBroken", e.toString()));
        }
    }

    private void befall(Trouble.Kind kind, String service) {
        switch (kind) {
            case SERVER_ERROR -> throw new AwsFault(503, "ServiceUnavailable", "injected");
            case THROTTLE ->
                throw service.equals("ebs")
                        ? new AwsFault(400, "RequestThrottledException", "injected")
                        : new AwsFault(503, service.equals("s3") ? "SlowDown" : "RequestLimitExceeded", "injected");
            case SLOW -> sleep(trouble.slowMillis());
            default -> {}
        }
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private Reply dispatch(SignatureV4.Scope scope, Request request) {
        FakeRegion region = region(scope.region());
        return switch (scope.service()) {
            case "ebs" -> record(slowed(region, scope), FakeEbs.action(request), () -> FakeEbs.answer(region, request));
            case "ec2" ->
                record(
                        scope,
                        request.form().get("Action"),
                        () -> new FakeEc2(region, s3).answer(new Parameters(request.form())));
            case "sts" ->
                record(scope, request.form().get("Action"), () -> FakeSts.answer(new Parameters(request.form())));
            case "s3" -> record(scope, request.method + "Object", () -> s3.answer(request));
            default -> throw new AwsFault(400, "UnknownService", scope.service());
        };
    }

    private static SignatureV4.Scope slowed(FakeRegion region, SignatureV4.Scope scope) {
        if (region.ebsDelayMillis > 0) {
            sleep(region.ebsDelayMillis);
        }
        return scope;
    }

    private Reply record(SignatureV4.Scope scope, String action, Supplier<Reply> answer) {
        if (denied.contains(action)) {
            throw new AwsFault(
                    403,
                    scope.service().equals("ec2") ? "UnauthorizedOperation" : "AccessDeniedException",
                    "not allowed to " + action);
        }
        Reply reply = answer.get();
        synchronized (calls) {
            calls.add(scope.region() + ' ' + action);
            calls.notifyAll();
        }
        return reply;
    }

    private static Reply error(String service, AwsFault e) {
        return switch (service) {
            case "ebs" ->
                new Reply(
                        e.status,
                        "application/json",
                        ("{\"Message\":\"" + e.getMessage().replace('"', '\'') + "\"}").getBytes(),
                        Map.of("x-amzn-ErrorType", e.code));
            case "s3" ->
                Reply.xml(
                        e.status,
                        "<Error><Code>" + e.code + "</Code><Message>" + e.getMessage() + "</Message></Error>");
            case "sts" ->
                Reply.xml(
                        e.status,
                        "<ErrorResponse><Error><Code>" + e.code + "</Code><Message>" + e.getMessage()
                                + "</Message></Error></ErrorResponse>");
            default ->
                Reply.xml(
                        e.status,
                        "<Response><Errors><Error><Code>" + e.code + "</Code><Message>" + e.getMessage()
                                + "</Message></Error></Errors><RequestID>fake</RequestID></Response>");
        };
    }

    private static void send(HttpExchange exchange, Reply reply) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", reply.type());
        reply.headers().forEach((name, value) -> exchange.getResponseHeaders().set(name, value));
        exchange.sendResponseHeaders(reply.status(), reply.body().length == 0 ? -1 : reply.body().length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(reply.body());
        }
    }

    /** Writes the volume that a completed snapshot holds, as a sparse file. */
    public void reassemble(String snapshotId, Path file) throws IOException {
        for (FakeRegion region : regions.values()) {
            if (region.snapshots.containsKey(snapshotId)) {
                region.snapshots.get(snapshotId).write(file);
                return;
            }
        }
        throw new IOException("no snapshot " + snapshotId);
    }

    Map<String, FakeRegion> regions() {
        return regions;
    }

    @Override
    public void close() {
        server.stop(0);
        pool.shutdownNow();
    }
}
