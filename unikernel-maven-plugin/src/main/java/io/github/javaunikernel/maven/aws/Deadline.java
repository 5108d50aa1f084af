// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.time.Duration;

/** A point in time after which nothing is tried any more. Immutable. */
final class Deadline {
    private final long endNanos;

    private Deadline(long endNanos) {
        this.endNanos = endNanos;
    }

    static Deadline in(Duration time) {
        return new Deadline(System.nanoTime() + time.toNanos());
    }

    /** The earlier of this deadline and the given time from now. */
    Deadline orIn(Duration time) {
        return left().compareTo(time) < 0 ? this : in(time);
    }

    boolean passed() {
        return left().isZero();
    }

    /** Time left; zero when passed, never negative. */
    Duration left() {
        long nanos = endNanos - System.nanoTime();
        return nanos <= 0 ? Duration.ZERO : Duration.ofNanos(nanos);
    }
}
