// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.time.Duration;

/** Waits between checks of something that takes time: 0.2 s at first, then half as long again each time, up to 10 s. */
final class Polling {
    private static final Duration LONGEST = Duration.ofSeconds(10);

    private final Retrier retrier;
    private Duration wait = Duration.ofMillis(200);

    Polling(Retrier retrier) {
        this.retrier = retrier;
    }

    /** Waits; false when the deadline has passed. */
    boolean again() throws CloudException {
        boolean timeLeft = retrier.pause(wait);
        Duration longer = wait.multipliedBy(3).dividedBy(2);
        wait = longer.compareTo(LONGEST) > 0 ? LONGEST : longer;
        return timeLeft;
    }
}
