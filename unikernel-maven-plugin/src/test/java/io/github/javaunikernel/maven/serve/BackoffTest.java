// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BackoffTest {

    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    private final Backoff backoff = new Backoff();

    private static Member instance(long readyAt, boolean answered) {
        Member member = new Member(1, null, 0);
        member.ready(readyAt);
        if (answered) {
            member.answers(readyAt);
        }
        return member;
    }

    private long pauseAfter(Member member, long now) {
        backoff.failed(member, now);
        return backoff.until() - now;
    }

    @Test
    void pausesDoubleUpToAMinute() {
        List<Long> pauses = new ArrayList<>();
        for (int i = 0; i < 80; i++) {
            pauses.add(pauseAfter(instance(0, false), 0) / SECOND);
        }
        assertEquals(List.of(0L, 1L, 2L, 4L, 8L, 16L, 32L, 60L, 60L), pauses.subList(0, 9));
        assertEquals(60, pauses.get(79));
    }

    @Test
    void aLongLifeMakesUpForEarlierFailures() {
        assertEquals(0, pauseAfter(instance(0, true), 0));
        assertEquals(SECOND, pauseAfter(instance(0, true), 59 * SECOND));
        assertEquals(0, pauseAfter(instance(0, true), 60 * SECOND));
        backoff.endedWell();
        assertFalse(backoff.isCautious());
    }

    @Test
    void onlyFailuresWithoutAnyAnswerAreHopeless() {
        for (int i = 0; i < 5; i++) {
            backoff.failed(instance(0, true), 0);
        }
        assertTrue(backoff.holds(0));
        assertFalse(backoff.isHopeless(0));
        for (int i = 0; i < 3; i++) {
            backoff.failed(instance(0, false), 0);
        }
        assertTrue(backoff.isHopeless(0));
        assertFalse(backoff.isHopeless(backoff.until()));
        backoff.answered();
        assertFalse(backoff.isHopeless(0));
    }
}
