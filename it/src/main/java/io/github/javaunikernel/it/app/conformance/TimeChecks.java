// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app.conformance;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.FormatStyle;
import java.time.temporal.ChronoUnit;
import java.util.Calendar;
import java.util.Date;
import java.util.List;
import java.util.Locale;
import java.util.TimeZone;
import java.util.Timer;
import java.util.TimerTask;
import java.util.concurrent.CountDownLatch;

/** Clocks, time zones and timers. */
final class TimeChecks implements Conformance.Area {

    private Conformance checks;

    @Override
    public void run(Conformance all) {
        checks = all;
        clocks();
        zones();
        timers();
    }

    private void clocks() {
        checks.check("nanoTime never goes back", () -> {
            long last = System.nanoTime();
            for (int i = 0; i < 200_000; i++) {
                long now = System.nanoTime();
                if (now < last) {
                    return "back by " + (last - now);
                }
                last = now;
            }
            return true;
        });
        checks.check("currentTimeMillis never goes back", () -> {
            long last = System.currentTimeMillis();
            for (int i = 0; i < 200_000; i++) {
                long now = System.currentTimeMillis();
                if (now < last) {
                    return "back by " + (last - now);
                }
                last = now;
            }
            return true;
        });
        checks.check(
                "the clocks agree",
                () -> Math.abs(Duration.between(Instant.now(), Clock.systemUTC().instant())
                        .toMinutes()));
        checks.check("the clock is fine", () -> {
            for (int i = 0; i < 100_000; i++) {
                if (Instant.now().getNano() % 1_000_000 != 0) {
                    return true;
                }
            }
            return false;
        });
        checks.check("the year", () -> Instant.now().isAfter(Instant.parse("2025-01-01T00:00:00Z")));
        checks.check("both clocks run at one pace", () -> {
            long nanos = System.nanoTime();
            Instant wall = Instant.now();
            Thread.sleep(50);
            long difference = System.nanoTime()
                    - nanos
                    - Duration.between(wall, Instant.now()).toNanos();
            return Math.abs(difference) < 1_000_000_000L;
        });
    }

    private void zones() {
        checks.check(
                "default zone has rules", () -> TimeZone.getDefault().toZoneId().getRules() != null);
        checks.check("number of zones", () -> ZoneId.getAvailableZoneIds().size() > 500);
        List<String> zones = List.of(
                "Europe/Berlin",
                "America/New_York",
                "Asia/Kolkata",
                "Asia/Tokyo",
                "Australia/Lord_Howe",
                "Africa/Casablanca",
                "America/St_Johns",
                "Pacific/Apia",
                "Antarctica/Troll",
                "UTC",
                "Etc/GMT+5",
                "Asia/Kathmandu");
        for (String zone : zones) {
            checks.check("rules of " + zone, () -> {
                StringBuilder offsets = new StringBuilder();
                for (String date : List.of("1950-07-01", "1985-01-15", "2011-12-30", "2024-01-15", "2024-07-15")) {
                    offsets.append(LocalDate.parse(date)
                                    .atStartOfDay(ZoneId.of(zone))
                                    .getOffset())
                            .append(' ');
                }
                return offsets;
            });
            checks.check("old classes in " + zone, () -> {
                Calendar calendar = Calendar.getInstance(TimeZone.getTimeZone(zone), Locale.ROOT);
                calendar.setTime(new Date(1_720_000_000_123L));
                return calendar.get(Calendar.HOUR_OF_DAY) + " " + calendar.get(Calendar.DST_OFFSET) + " "
                        + calendar.get(Calendar.ZONE_OFFSET);
            });
        }
        checks.check("a gap", () -> ZonedDateTime.of(2024, 3, 31, 2, 30, 0, 0, ZoneId.of("Europe/Berlin")));
        checks.check("an overlap", () -> ZonedDateTime.of(2024, 10, 27, 2, 30, 0, 0, ZoneId.of("Europe/Berlin")));
        checks.check("unknown zone", () -> ZoneId.of("Mars/Olympus"));
        checks.check(
                "unknown old zone", () -> TimeZone.getTimeZone("Mars/Olympus").getID());
        for (FormatStyle style : FormatStyle.values()) {
            checks.check(
                    "English date " + style,
                    () -> DateTimeFormatter.ofLocalizedDate(style)
                            .withLocale(Locale.US)
                            .format(LocalDate.of(2024, 2, 29)));
        }
        checks.check("days between", () -> ChronoUnit.DAYS.between(LocalDate.of(1900, 1, 1), LocalDate.of(2100, 1, 1)));
    }

    private void timers() {
        checks.check("timer", () -> {
            Timer timer = new Timer(true);
            CountDownLatch runs = new CountDownLatch(3);
            timer.schedule(
                    new TimerTask() {
                        @Override
                        public void run() {
                            runs.countDown();
                        }
                    },
                    5,
                    5);
            runs.await();
            timer.cancel();
            return runs.getCount();
        });
        checks.check("timer in the past", () -> {
            Timer timer = new Timer(true);
            CountDownLatch run = new CountDownLatch(1);
            timer.schedule(
                    new TimerTask() {
                        @Override
                        public void run() {
                            run.countDown();
                        }
                    },
                    new Date(0));
            run.await();
            timer.cancel();
            return run.getCount();
        });
        for (long milliseconds : new long[] {0, 1, 10}) {
            checks.check("sleep of " + milliseconds, () -> {
                long before = System.nanoTime();
                Thread.sleep(milliseconds, 500_000);
                return System.nanoTime() - before >= milliseconds * 1_000_000;
            });
        }
    }
}
