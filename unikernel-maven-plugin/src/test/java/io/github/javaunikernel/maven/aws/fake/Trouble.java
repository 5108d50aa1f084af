// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Faults under a seed. Each request draws one lot, so the same seed gives the same mix, although which request meets
 * which fault depends on the order in which threads arrive.
 */
public final class Trouble {
    /** What befalls a request. */
    public enum Kind {
        NONE,
        SERVER_ERROR,
        THROTTLE,
        CUT_BEFORE,
        CUT_AFTER,
        ERROR_AFTER,
        SLOW
    }

    private final Random random;
    private final double rate;
    private final long slowMillis;
    private final AtomicLong dealt = new AtomicLong();

    /**
     * @param rate share of requests that meet trouble, 0 to 1
     * @param slowMillis how late a slow answer comes
     */
    public Trouble(long seed, double rate, long slowMillis) {
        this.random = new Random(seed);
        this.rate = rate;
        this.slowMillis = slowMillis;
    }

    public static Trouble none() {
        return new Trouble(0, 0, 0);
    }

    synchronized Kind next() {
        if (random.nextDouble() >= rate) {
            return Kind.NONE;
        }
        dealt.incrementAndGet();
        int lot = random.nextInt(100);
        if (lot < 3) {
            return Kind.SLOW;
        }
        Kind[] others = {Kind.SERVER_ERROR, Kind.THROTTLE, Kind.CUT_BEFORE, Kind.CUT_AFTER, Kind.ERROR_AFTER};
        return others[lot % others.length];
    }

    long slowMillis() {
        return slowMillis;
    }

    /** How many faults were dealt out so far. */
    public long dealt() {
        return dealt.get();
    }
}
