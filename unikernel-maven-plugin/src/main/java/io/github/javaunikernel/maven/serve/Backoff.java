// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import java.time.Duration;

/**
 * When to start an instance again after others have failed. The first failure costs no time; after each further one the
 * pause is twice as long, up to a minute. Times are in nanoseconds of the front door's clock.
 */
final class Backoff {

    private static final long FIRST = Duration.ofSeconds(1).toNanos();
    private static final long LONGEST = Duration.ofMinutes(1).toNanos();
    /** So many instances that have failed, one after the other, without any answer. */
    private static final int HOPELESS = 3;

    private int failures;
    private int withoutAnswer;
    private long until;

    /** An instance has failed. */
    void failed(Member instance, long now) {
        failures = instance.readyFor(now) >= LONGEST ? 1 : failures + 1;
        withoutAnswer = instance.hasAnswered() ? 0 : withoutAnswer + 1;
        until = now + pause();
    }

    /** An instance has answered a client. */
    void answered() {
        withoutAnswer = 0;
    }

    /** An instance has ended when it was to end. */
    void endedWell() {
        failures = 0;
        withoutAnswer = 0;
    }

    /** The time before which no instance is started. */
    long until() {
        return until;
    }

    /** Whether no instance is started now. */
    boolean holds(long now) {
        return failures > 0 && until - now > 0;
    }

    /** Whether there is a failure that no later instance has made up for. */
    boolean isCautious() {
        return failures > 0;
    }

    /** Whether clients wait in vain for the present. */
    boolean isHopeless(long now) {
        return withoutAnswer >= HOPELESS && holds(now);
    }

    private long pause() {
        int doublings = failures - 2;
        if (doublings < 0) {
            return 0;
        }
        return doublings > 10 ? LONGEST : Math.min(LONGEST, FIRST << doublings);
    }
}
