// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Waits until the program in a guest is ready for its clients. */
public final class Health {

    /** Between two requests, once the program listens: short compared with a boot, long compared with a request. */
    private static final Duration PAUSE = Duration.ofMillis(50);

    private final Guest guest;
    private final Duration limit;
    private final long deadline;
    private String lastAnswer = "it does not listen on any port";

    private Health(Guest guest, Duration limit) {
        this.guest = guest;
        this.limit = limit;
        this.deadline = System.nanoTime() + limit.toNanos();
    }

    /**
     * Waits until the program listens on a port, and then, where there is a URL, until that answers 2xx. Fails at once
     * when the guest ends.
     */
    public static void await(Guest guest, Optional<URI> url, Duration limit)
            throws GuestException, InterruptedException {
        Health health = new Health(guest, limit);
        health.awaitOrEnd(guest.reports().listening());
        if (url.isPresent()) {
            health.awaitAnswer(url.get());
        }
    }

    /** Waits until the guest has an IPv4 address. Fails at once when the guest ends. */
    public static InetAddress awaitAddress(Guest guest, Duration limit) throws GuestException, InterruptedException {
        Health health = new Health(guest, limit);
        health.lastAnswer = "it has no IPv4 address; see that a DHCP server answers on the bridge";
        health.awaitOrEnd(guest.reports().addressed());
        return guest.reports().address().orElseThrow(health::tooLate);
    }

    private void awaitAnswer(URI url) throws GuestException, InterruptedException {
        lastAnswer = url + " has not answered yet";
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        while (!answers(client, url)) {
            awaitOrEnd(new CompletableFuture<>().completeOnTimeout(null, PAUSE.toMillis(), TimeUnit.MILLISECONDS));
        }
    }

    private boolean answers(HttpClient client, URI url) throws GuestException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(url).timeout(left()).build();
        CompletableFuture<HttpResponse<Void>> response =
                client.sendAsync(request, HttpResponse.BodyHandlers.discarding());
        awaitOrEnd(response.handle((answer, problem) -> null));
        try {
            int status = response.get().statusCode();
            lastAnswer = url + " answers " + status;
            return status / 100 == 2;
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof IOException failure)) {
                throw new IllegalStateException(e.getCause());
            }
            lastAnswer = url + " does not answer" + because(failure);
            return false;
        }
    }

    /** A connection that is refused or reset is described by its kind only. */
    private static String because(IOException failure) {
        return failure.getMessage() == null || failure instanceof ConnectException
                ? ", since it cannot be connected to"
                : " (" + failure.getMessage() + ")";
    }

    private void awaitOrEnd(CompletableFuture<?> awaited) throws GuestException, InterruptedException {
        CompletableFuture<Void> ended = guest.console().ended();
        CompletableFuture<Void> unknown = guest.reports().failed();
        try {
            CompletableFuture.anyOf(awaited, ended, unknown).get(left().toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (unknown.isCompletedExceptionally()) {
                throw new GuestException(
                        FileTrouble.of((IOException) e.getCause()).text() + " The last lines of its console:",
                        guest.console());
            }
            throw guest.console().brokenOff(e.getCause());
        } catch (TimeoutException e) {
            throw tooLate();
        }
        if (ended.isDone()) {
            GuestEnd end = guest.await();
            end.check(false);
            throw new GuestException(
                    "The guest ended before it answered. The last lines of its console:", guest.console());
        }
    }

    private Duration left() throws GuestException {
        Duration left = Duration.ofNanos(deadline - System.nanoTime());
        if (left.isNegative() || left.isZero()) {
            throw tooLate();
        }
        return left;
    }

    private GuestException tooLate() {
        return new GuestException(
                "The guest is not ready after " + limit.toSeconds() + " s: " + lastAnswer
                        + ". Give it more time with -Dunikernel.start.timeout, name another path with "
                        + "-Dunikernel.healthPath"
                        + " (none to wait for a port only), or see its console:",
                guest.console());
    }
}
