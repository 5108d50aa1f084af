// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.CloudLog;
import io.github.javaunikernel.maven.aws.UploadProgress;

/** Shows an upload: one line that moves on a terminal, a line for every tenth elsewhere. */
final class UploadMeter implements UploadProgress {
    private static final int BAR = 30;

    private final CloudLog log;
    private final boolean moving;
    private long started;
    private int expected;
    private int sent;
    private int lastTenth;

    /** @param interactive whether Maven talks to a person */
    UploadMeter(CloudLog log, boolean interactive) {
        this.log = log;
        this.moving = interactive && System.console() != null && System.getenv("CI") == null;
    }

    @Override
    public synchronized void expect(int blocks) {
        started = started == 0 ? System.nanoTime() : started;
        expected += blocks;
    }

    @Override
    public synchronized void sent() {
        sent++;
        if (moving) {
            int filled = BAR * sent / expected;
            System.out.print("\r[" + "#".repeat(filled) + " ".repeat(BAR - filled) + "] " + state());
            System.out.flush();
            return;
        }
        int tenth = 10 * sent / expected;
        if (tenth > lastTenth) {
            lastTenth = tenth;
            log.info("Sent " + state());
        }
    }

    @Override
    public synchronized void finish() {
        if (moving && sent > 0) {
            System.out.println();
        }
    }

    /** Blocks are half a MiB. */
    private String state() {
        double seconds = Math.max(1e-3, (System.nanoTime() - started) / 1e9);
        return String.format("%d of %d MiB, %.1f MiB/s", sent / 2, (expected + 1) / 2, sent / 2.0 / seconds);
    }
}
