// SPDX-License-Identifier: Apache-2.0
package example;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Exchanger;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.Phaser;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.LongStream;

/** Threads that wait for each other: a wake-up that is lost ends them for good, one that is early shows. */
final class Handovers {

    private final int turns;

    private Handovers(int scale) {
        turns = 2000 * scale;
    }

    static void addTo(Map<String, Torture.Program> programs, int scale) {
        Handovers handovers = new Handovers(scale);
        programs.put("handover.parkAndUnpark", handovers::parkAndUnpark);
        programs.put("handover.monitors", handovers::monitors);
        programs.put("handover.conditions", handovers::conditions);
        programs.put("handover.fairLockTakesTurns", handovers::fairLockTakesTurns);
        programs.put("handover.synchronousQueue", handovers::synchronousQueue);
        programs.put("handover.exchanger", handovers::exchanger);
        programs.put("handover.barriers", handovers::barriers);
        programs.put("handover.joinSeesAll", handovers::joinSeesAll);
        programs.put("handover.interrupts", handovers::interrupts);
        programs.put("handover.futures", handovers::futures);
        programs.put("handover.forkJoin", handovers::forkJoin);
    }

    /** Something that threads do, and that may throw. */
    interface Work {
        void run() throws Exception;
    }

    /** Runs all of them at once; throws what the first of them threw. */
    static void together(List<Work> all) throws Exception {
        List<Throwable> thrown = java.util.Collections.synchronizedList(new ArrayList<>());
        List<Thread> threads = new ArrayList<>();
        for (Work work : all) {
            Thread thread = new Thread(() -> {
                try {
                    work.run();
                } catch (Exception | Error e) {
                    thrown.add(e);
                }
            });
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (!thrown.isEmpty()) {
            throw new AssertionError("in a thread", thrown.get(0));
        }
    }

    static List<Work> times(int count, Work work) {
        return java.util.Collections.nCopies(count, work);
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    private static int processors() {
        return Runtime.getRuntime().availableProcessors();
    }

    /** Two threads take turns; each may be unparked before it parks. */
    private String parkAndUnpark() throws Exception {
        AtomicInteger turn = new AtomicInteger();
        Thread[] players = new Thread[2];
        for (int i = 0; i < 2; i++) {
            int mine = i;
            players[i] = new Thread(() -> {
                for (int n = 0; n < turns; n++) {
                    while (turn.get() % 2 != mine) {
                        LockSupport.park(this);
                    }
                    turn.incrementAndGet();
                    LockSupport.unpark(players[1 - mine]);
                    Progress.step();
                }
            });
        }
        for (Thread player : players) {
            player.start();
        }
        for (Thread player : players) {
            player.join();
        }
        check(turn.get() == 2 * turns, "turns: " + turn);
        return turn + " turns";
    }

    /** A buffer of one place between as many producers and consumers, with notifyAll and timed waits. */
    private String monitors() throws Exception {
        int pairs = processors() + 1;
        AtomicInteger sum = new AtomicInteger();
        int[] place = {0};
        Object monitor = new Object();
        List<Work> all = new ArrayList<>(times(pairs, () -> {
            for (int i = 1; i <= turns; i++) {
                synchronized (monitor) {
                    while (place[0] != 0) {
                        monitor.wait();
                    }
                    place[0] = i;
                    monitor.notifyAll();
                }
                Progress.step();
            }
        }));
        all.addAll(times(pairs, () -> {
            for (int i = 1; i <= turns; i++) {
                synchronized (monitor) {
                    while (place[0] == 0) {
                        monitor.wait(1 + i % 3);
                    }
                    sum.addAndGet(place[0]);
                    place[0] = 0;
                    monitor.notifyAll();
                }
            }
        }));
        together(all);
        check(sum.get() == pairs * (turns * (turns + 1) / 2), "sum: " + sum);
        return "sum " + sum;
    }

    /** The same with a lock and two conditions, each signalled once for one change. */
    private String conditions() throws Exception {
        int pairs = processors() + 1;
        ReentrantLock lock = new ReentrantLock();
        Condition empty = lock.newCondition();
        Condition full = lock.newCondition();
        AtomicInteger sum = new AtomicInteger();
        int[] place = {0};
        List<Work> all = new ArrayList<>(times(pairs, () -> {
            for (int i = 1; i <= turns; i++) {
                lock.lock();
                try {
                    while (place[0] != 0) {
                        empty.await();
                    }
                    place[0] = i;
                    full.signal();
                } finally {
                    lock.unlock();
                }
                Progress.step();
            }
        }));
        all.addAll(times(pairs, () -> {
            for (int i = 1; i <= turns; i++) {
                lock.lock();
                try {
                    while (place[0] == 0) {
                        full.awaitUninterruptibly();
                    }
                    sum.addAndGet(place[0]);
                    place[0] = 0;
                    empty.signal();
                } finally {
                    lock.unlock();
                }
            }
        }));
        together(all);
        check(sum.get() == pairs * (turns * (turns + 1) / 2), "sum: " + sum);
        return "sum " + sum;
    }

    /** While all wait for a fair lock, no thread has it twice before each has had it once. */
    private String fairLockTakesTurns() throws Exception {
        int count = processors() + 2;
        ReentrantLock lock = new ReentrantLock(true);
        AtomicIntegerArray had = new AtomicIntegerArray(count);
        AtomicInteger number = new AtomicInteger();
        int each = turns / 4;
        together(times(count, () -> {
            int mine = number.getAndIncrement();
            for (int i = 0; i < each; i++) {
                lock.lock();
                try {
                    int before = had.getAndIncrement(mine);
                    /* Those that wait stand behind each other, so a second turn is not ahead of their first. */
                    if (lock.getQueueLength() == count - 1) {
                        check(had.get(mine) == before + 1, "two threads have the lock");
                    }
                } finally {
                    lock.unlock();
                }
                Progress.step();
            }
        }));
        for (int i = 0; i < count; i++) {
            check(had.get(i) == each, "thread " + i + " had it " + had.get(i) + " times");
        }
        return count + " threads, " + each + " times each";
    }

    private String synchronousQueue() throws Exception {
        SynchronousQueue<Integer> queue = new SynchronousQueue<>();
        AtomicInteger sum = new AtomicInteger();
        int pairs = processors();
        List<Work> all = new ArrayList<>(times(pairs, () -> {
            for (int i = 1; i <= turns; i++) {
                queue.put(i);
                Progress.step();
            }
        }));
        all.addAll(times(pairs, () -> {
            for (int i = 1; i <= turns; i++) {
                sum.addAndGet(queue.take());
            }
        }));
        together(all);
        check(sum.get() == pairs * (turns * (turns + 1) / 2), "sum: " + sum);
        return "sum " + sum;
    }

    private String exchanger() throws Exception {
        Exchanger<Integer> exchanger = new Exchanger<>();
        AtomicInteger given = new AtomicInteger();
        AtomicInteger got = new AtomicInteger();
        together(times(2, () -> {
            for (int i = 0; i < turns; i++) {
                int mine = System.identityHashCode(Thread.currentThread()) + i;
                given.addAndGet(mine);
                got.addAndGet(exchanger.exchange(mine));
                Progress.step();
            }
        }));
        check(given.get() == got.get(), "what was given is not what was got");
        return turns + " exchanges";
    }

    /** No thread passes a barrier before all have come to it. */
    private String barriers() throws Exception {
        int count = 2 * processors();
        CyclicBarrier barrier = new CyclicBarrier(count);
        Phaser phaser = new Phaser(count);
        AtomicInteger came = new AtomicInteger();
        int rounds = turns / 8;
        together(times(count, () -> {
            for (int round = 1; round <= rounds; round++) {
                came.incrementAndGet();
                barrier.await();
                check(came.get() >= round * count, "a thread passed a barrier early");
                check(phaser.arriveAndAwaitAdvance() == round, "a thread is in another phase");
                Progress.step();
            }
        }));
        check(came.get() == rounds * count, "came: " + came);
        return rounds + " rounds of " + count + " threads";
    }

    /** What a thread has written is there after join(), while others start and end. */
    private String joinSeesAll() throws Exception {
        together(times(processors(), () -> {
            for (int i = 0; i < turns / 8; i++) {
                int[] written = new int[64];
                Thread writer = new Thread(() -> java.util.Arrays.fill(written, 7));
                writer.start();
                writer.join();
                check(java.util.Arrays.stream(written).sum() == 7 * written.length, "a write is missing after join()");
                check(!writer.isAlive(), "a thread is alive after join()");
                Progress.step();
            }
        }));
        return processors() * (turns / 8) + " threads";
    }

    /** An interrupt comes once: it ends a sleep, or is seen by the next call that waits. */
    private String interrupts() throws Exception {
        AtomicInteger seen = new AtomicInteger();
        int each = turns / 4;
        for (int i = 0; i < each; i++) {
            int kind = i % 3;
            Object monitor = new Object();
            Thread sleeper = new Thread(() -> {
                try {
                    if (kind == 0) {
                        Thread.sleep(Long.MAX_VALUE);
                    } else if (kind == 1) {
                        synchronized (monitor) {
                            monitor.wait();
                        }
                    } else {
                        while (!Thread.interrupted()) {
                            LockSupport.park(this);
                        }
                        throw new InterruptedException();
                    }
                } catch (InterruptedException e) {
                    check(!Thread.currentThread().isInterrupted(), "an interrupt that was thrown is still set");
                    seen.incrementAndGet();
                }
            });
            sleeper.start();
            if (i % 2 == 0) {
                Thread.yield();
            }
            sleeper.interrupt();
            sleeper.join();
            Progress.step();
        }
        check(seen.get() == each, "interrupts: " + seen);
        return seen + " interrupts";
    }

    private String futures() throws Exception {
        AtomicInteger completions = new AtomicInteger();
        int chains = turns / 4;
        for (int i = 0; i < chains; i++) {
            CompletableFuture<Integer> start = new CompletableFuture<>();
            CompletableFuture<Integer> left =
                    start.thenApplyAsync(x -> x + 1).thenCombineAsync(start.thenApply(x -> x * 2), Integer::sum);
            CompletableFuture<Integer> right = start.thenComposeAsync(x -> CompletableFuture.supplyAsync(() -> x - 1));
            CompletableFuture<Void> both = CompletableFuture.allOf(left, right);
            both.whenComplete((result, thrown) -> completions.incrementAndGet());
            int value = i;
            Thread first = new Thread(() -> start.complete(value));
            Thread second = new Thread(() -> start.complete(value));
            first.start();
            second.start();
            check(left.get() == 3 * value + 1 && right.get() == value - 1, "a wrong value in chain " + i);
            both.get();
            first.join();
            second.join();
            Progress.step();
        }
        check(completions.get() == chains, "completions: " + completions);
        return chains + " chains";
    }

    private String forkJoin() throws Exception {
        long expected = LongStream.rangeClosed(1, 200_000).map(x -> x * x % 1009).sum();
        ForkJoinPool pool = new ForkJoinPool(2 * processors());
        try {
            for (int i = 0; i < 10; i++) {
                long sum = pool.submit(() -> LongStream.rangeClosed(1, 200_000)
                                .parallel()
                                .map(x -> x * x % 1009)
                                .sum())
                        .get();
                check(sum == expected, "sum: " + sum);
                Progress.step();
            }
        } finally {
            pool.shutdown();
        }
        return "sum " + expected;
    }
}
