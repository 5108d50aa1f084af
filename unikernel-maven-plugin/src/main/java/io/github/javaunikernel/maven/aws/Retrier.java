// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.Supplier;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * Every remote call goes through here. Calls that may yet succeed are repeated: server errors, throttling, time-outs,
 * cut connections, and where the caller says so the "not found" that follows a fresh resource. Anything else fails at
 * once. Waits double from 50 ms to 5 s, each drawn at random between zero and that bound, so that many workers do not
 * march in step. Thread-safe.
 */
final class Retrier {
    /** How long one call is repeated; EBS says a fresh snapshot may stay unknown for up to two minutes. */
    static final Duration CALL_BUDGET = Duration.ofSeconds(150);

    private static final Duration UNREACHABLE_BUDGET = Duration.ofSeconds(15);
    private static final long FIRST_WAIT_MILLIS = 50;
    private static final long LONGEST_WAIT_MILLIS = 5_000;

    private final Deadline deadline;
    private final CloudLog log;
    private final AtomicLong repeats = new AtomicLong();

    Retrier(Deadline deadline, CloudLog log) {
        this.deadline = deadline;
        this.log = log;
    }

    /** Calls, repeating what is transient. */
    <T> T call(String what, Supplier<T> call) throws CloudException {
        return call(what, call, fault -> false);
    }

    /** Calls on a resource that was just created: "not found" is repeated too. */
    <T> T callFresh(String what, Supplier<T> call) throws CloudException {
        return call(what, call, fault -> fault == Fault.NOT_FOUND);
    }

    /** How often a call was repeated so far. */
    long repeats() {
        return repeats.get();
    }

    /** Waits, but not past the deadline; true while there is time left. */
    boolean pause(Duration wait) throws CloudException {
        Duration left = deadline.left();
        try {
            Thread.sleep(Math.min(wait.toMillis(), left.toMillis()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CloudException(Reason.INTERRUPTED, "Interrupted while waiting.", e);
        }
        return !deadline.passed();
    }

    private <T> T call(String what, Supplier<T> call, Predicate<Fault> alsoRepeat) throws CloudException {
        Deadline budget = deadline.orIn(CALL_BUDGET);
        Deadline reachable = deadline.orIn(UNREACHABLE_BUDGET);
        for (int attempt = 1; ; attempt++) {
            if (deadline.passed()) {
                throw new CloudException(Reason.DEADLINE, "No time left to " + what + ".");
            }
            try {
                return call.get();
            } catch (SdkException e) {
                Fault fault = Fault.of(e);
                boolean repeat = fault == Fault.TRANSIENT && !budget.passed()
                        || fault == Fault.UNREACHABLE && !reachable.passed()
                        || alsoRepeat.test(fault) && !budget.passed();
                if (!repeat) {
                    throw failure(what, fault, attempt, e);
                }
                repeats.incrementAndGet();
                log.debug("Attempt " + attempt + " to " + what + " failed (" + Causes.ofCall(e) + "), trying again.");
            }
            pause(Duration.ofMillis(jitteredWait(attempt)));
        }
    }

    private static long jitteredWait(int attempt) {
        long bound = Math.min(LONGEST_WAIT_MILLIS, FIRST_WAIT_MILLIS << Math.min(attempt - 1, 10));
        return ThreadLocalRandom.current().nextLong(bound + 1);
    }

    private CloudException failure(String what, Fault fault, int attempt, SdkException e) {
        String message = "Could not " + what + ": " + Causes.ofCall(e)
                + (attempt > 1 ? " (after " + attempt + " attempts)." : ".");
        return new CloudException(reason(fault), message, e);
    }

    private Reason reason(Fault fault) {
        return switch (fault) {
            case DENIED -> Reason.PERMISSION;
            case NO_CREDENTIALS -> Reason.CREDENTIALS;
            case PROXY -> Reason.PROXY;
            case INTERRUPTED -> Reason.INTERRUPTED;
            case TRANSIENT, UNREACHABLE -> deadline.passed() ? Reason.DEADLINE : Reason.SERVICE;
            case NOT_FOUND, REJECTED -> Reason.SERVICE;
        };
    }
}
