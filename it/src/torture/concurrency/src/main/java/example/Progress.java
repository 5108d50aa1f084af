// SPDX-License-Identifier: Apache-2.0
package example;

import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Watches a program: when no thread of it has reported a step for ten minutes, this prints the stacks of all threads
 * and ends the JVM with status 2. Such a limit holds on a machine a hundred times slower, too.
 */
final class Progress implements AutoCloseable {

    private static final long SILENCE_MILLIS = 600_000;
    private static final int STUCK = 2;
    private static final AtomicLong STEPS = new AtomicLong();

    private final String name;
    private final Thread watch;

    Progress(String name) {
        this.name = name;
        watch = new Thread(this::watch, "progress");
        watch.setDaemon(true);
        watch.start();
    }

    /** One unit of work is done. Any thread. */
    static void step() {
        STEPS.incrementAndGet();
    }

    private void watch() {
        try {
            for (long before = -1, now = STEPS.get(); now != before; now = STEPS.get()) {
                before = now;
                Thread.sleep(SILENCE_MILLIS);
            }
        } catch (InterruptedException e) {
            return; // the program has ended
        }
        System.out.println("torture: FAILED " + name + " has got nowhere for ten minutes");
        for (Map.Entry<Thread, StackTraceElement[]> entry :
                Thread.getAllStackTraces().entrySet()) {
            System.out.println(entry.getKey());
            for (StackTraceElement element : entry.getValue()) {
                System.out.println("    " + element);
            }
        }
        Runtime.getRuntime().halt(STUCK);
    }

    @Override
    public void close() {
        watch.interrupt();
    }
}
