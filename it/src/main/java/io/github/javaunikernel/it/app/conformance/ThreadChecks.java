// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app.conformance;

import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Exchanger;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Phaser;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.IntStream;

/** java.util.concurrent and threads: that waits end when they should, and no earlier. */
final class ThreadChecks implements Conformance.Area {

    private Conformance checks;

    @Override
    public void run(Conformance all) {
        checks = all;
        waits();
        interrupts();
        meetings();
        locks();
        pools();
        threads();
    }

    private interface Wait {
        void run(long milliseconds) throws Exception;
    }

    /** Each wait lasts at least as long as asked. */
    private void waits() {
        Object monitor = new Object();
        ReentrantLock lock = new ReentrantLock();
        List<String> names = List.of("sleep", "monitor", "park", "condition", "latch", "queue", "semaphore", "future");
        List<Wait> waits = List.of(
                Thread::sleep,
                ms -> {
                    synchronized (monitor) {
                        monitor.wait(ms);
                    }
                },
                ms -> {
                    for (long end = System.nanoTime() + ms * 1_000_000; System.nanoTime() < end; ) {
                        LockSupport.parkNanos(end - System.nanoTime());
                    }
                },
                ms -> {
                    lock.lock();
                    try {
                        long left = ms * 1_000_000;
                        for (var condition = lock.newCondition(); left > 0; ) {
                            left = condition.awaitNanos(left);
                        }
                    } finally {
                        lock.unlock();
                    }
                },
                ms -> new CountDownLatch(1).await(ms, TimeUnit.MILLISECONDS),
                ms -> new LinkedBlockingQueue<>().poll(ms, TimeUnit.MILLISECONDS),
                ms -> new Semaphore(0).tryAcquire(ms, TimeUnit.MILLISECONDS),
                ms -> {
                    try {
                        new CompletableFuture<>().get(ms, TimeUnit.MILLISECONDS);
                    } catch (java.util.concurrent.TimeoutException e) {
                        // That is what is waited for.
                    }
                });
        for (int i = 0; i < waits.size(); i++) {
            Wait wait = waits.get(i);
            for (int milliseconds : new int[] {1, 7, 30}) {
                checks.check(names.get(i) + " of " + milliseconds + " ms", () -> {
                    long before = System.nanoTime();
                    wait.run(milliseconds);
                    // A monitor may end up to a millisecond early, since it counts in them.
                    return System.nanoTime() - before >= (milliseconds - 1) * 1_000_000L;
                });
            }
        }
    }

    private void interrupts() {
        List<String> names = List.of("sleep", "wait", "join", "take", "latch", "barrier", "semaphore");
        List<Wait> waits = List.of(
                ms -> Thread.sleep(Long.MAX_VALUE),
                ms -> {
                    Object monitor = new Object();
                    synchronized (monitor) {
                        monitor.wait();
                    }
                },
                ms -> Thread.currentThread().join(),
                ms -> new LinkedBlockingQueue<>().take(),
                ms -> new CountDownLatch(1).await(),
                ms -> new CyclicBarrier(2).await(),
                ms -> new Semaphore(0).acquire());
        for (int i = 0; i < waits.size(); i++) {
            Wait wait = waits.get(i);
            checks.check("interrupt of " + names.get(i), () -> {
                CompletableFuture<String> end = new CompletableFuture<>();
                Thread thread = new Thread(() -> {
                    try {
                        wait.run(0);
                        end.complete("no exception");
                    } catch (Exception e) {
                        end.complete(e.getClass().getSimpleName() + " "
                                + Thread.currentThread().isInterrupted());
                    }
                });
                thread.start();
                thread.interrupt();
                return end.get();
            });
        }
        checks.check("interrupt of park", () -> {
            Thread.currentThread().interrupt();
            LockSupport.park();
            return Thread.interrupted() + " " + Thread.interrupted();
        });
    }

    private void meetings() {
        for (int count : new int[] {2, 10, 100}) {
            checks.check("barrier of " + count, () -> {
                CyclicBarrier barrier = new CyclicBarrier(count);
                AtomicInteger last = new AtomicInteger();
                run(count, number -> {
                    for (int round = 0; round < 5; round++) {
                        if (barrier.await() == 0) {
                            last.incrementAndGet();
                        }
                    }
                });
                return last.get();
            });
            checks.check("phaser of " + count, () -> {
                Phaser phaser = new Phaser(count);
                run(count, number -> phaser.arriveAndAwaitAdvance());
                return phaser.getPhase();
            });
            checks.check("counter of " + count, () -> {
                int[] sum = new int[1];
                run(count, number -> {
                    for (int i = 0; i < 200; i++) {
                        synchronized (sum) {
                            sum[0]++;
                        }
                    }
                });
                return sum[0];
            });
        }
        checks.check("exchanger", () -> {
            Exchanger<Integer> exchanger = new Exchanger<>();
            int[] got = new int[2];
            run(2, number -> got[number] = exchanger.exchange(number));
            return got[0] + " " + got[1];
        });
        checks.check("synchronous queue", () -> {
            SynchronousQueue<Integer> queue = new SynchronousQueue<>();
            int[] sum = new int[1];
            run(2, number -> {
                for (int i = 0; i < 500; i++) {
                    if (number == 0) {
                        queue.put(i);
                    } else {
                        sum[0] += queue.take();
                    }
                }
            });
            return sum[0];
        });
        checks.check("ping-pong by notify", () -> {
            Object monitor = new Object();
            int[] turn = new int[1];
            run(2, number -> {
                for (int i = 0; i < 500; i++) {
                    synchronized (monitor) {
                        while (turn[0] % 2 != number) {
                            monitor.wait();
                        }
                        turn[0]++;
                        monitor.notifyAll();
                    }
                }
            });
            return turn[0];
        });
    }

    private interface Body {
        void run(int number) throws Exception;
    }

    private static void run(int count, Body body) throws Exception {
        List<CompletableFuture<Void>> ends = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int number = i;
            CompletableFuture<Void> end = new CompletableFuture<>();
            ends.add(end);
            new Thread(() -> {
                        try {
                            body.run(number);
                            end.complete(null);
                        } catch (Exception e) {
                            end.completeExceptionally(e);
                        }
                    })
                    .start();
        }
        for (CompletableFuture<Void> end : ends) {
            end.get();
        }
    }

    private void locks() {
        for (boolean fair : new boolean[] {false, true}) {
            checks.check("lock, fair " + fair, () -> {
                ReentrantLock lock = new ReentrantLock(fair);
                int[] sum = new int[1];
                run(8, number -> {
                    for (int i = 0; i < 100; i++) {
                        lock.lock();
                        try {
                            sum[0]++;
                        } finally {
                            lock.unlock();
                        }
                    }
                });
                return sum[0] + " " + lock.isLocked();
            });
            checks.check("read-write lock, fair " + fair, () -> {
                ReentrantReadWriteLock lock = new ReentrantReadWriteLock(fair);
                CyclicBarrier readers = new CyclicBarrier(4);
                run(4, number -> {
                    lock.readLock().lock();
                    readers.await();
                    lock.readLock().unlock();
                });
                return lock.writeLock().tryLock() + " " + lock.getReadLockCount();
            });
        }
        checks.check("tryLock of another's", () -> {
            ReentrantLock lock = new ReentrantLock();
            boolean[] got = new boolean[1];
            lock.lock();
            run(1, number -> got[0] = lock.tryLock(5, TimeUnit.MILLISECONDS));
            return got[0];
        });
    }

    private void pools() {
        for (int threads : new int[] {1, 4, 50}) {
            checks.check("pool of " + threads, () -> {
                ExecutorService pool = Executors.newFixedThreadPool(threads);
                AtomicInteger sum = new AtomicInteger();
                for (int i = 0; i < 1000; i++) {
                    pool.execute(sum::incrementAndGet);
                }
                pool.shutdown();
                return pool.awaitTermination(10, TimeUnit.MINUTES) + " " + sum.get();
            });
        }
        checks.check("scheduled at a fixed rate", () -> {
            ScheduledExecutorService pool = Executors.newScheduledThreadPool(1);
            CountDownLatch runs = new CountDownLatch(5);
            long before = System.nanoTime();
            pool.scheduleAtFixedRate(runs::countDown, 0, 10, TimeUnit.MILLISECONDS);
            runs.await();
            boolean late = System.nanoTime() - before >= 40_000_000L;
            pool.shutdownNow();
            return late + " " + pool.awaitTermination(10, TimeUnit.MINUTES);
        });
        checks.check("scheduled and cancelled", () -> {
            ScheduledExecutorService pool = Executors.newScheduledThreadPool(1);
            var later = pool.schedule(() -> 1, 1, TimeUnit.HOURS);
            boolean cancelled = later.cancel(false);
            return cancelled + " " + later.isDone() + " " + pool.shutdownNow().size();
        });
        checks.check(
                "fork and join",
                () -> new ForkJoinPool(4)
                        .submit(() -> IntStream.range(0, 100_000)
                                .parallel()
                                .mapToLong(i -> i)
                                .sum())
                        .get());
        checks.check(
                "futures in a chain",
                () -> CompletableFuture.supplyAsync(() -> 20)
                        .thenCombineAsync(CompletableFuture.supplyAsync(() -> 22), Integer::sum)
                        .get());
    }

    private void threads() {
        checks.check("names", () -> {
            List<String> seen = new ArrayList<>();
            Thread thread = new Thread(
                    null, () -> seen.add(Thread.currentThread().getName()), "名前 with a long name that is cut", 1 << 20);
            thread.start();
            thread.join();
            return seen + " " + thread.getState() + " " + thread.isAlive();
        });
        checks.check("states", () -> {
            CountDownLatch latch = new CountDownLatch(1);
            Thread thread = new Thread(() -> {
                try {
                    latch.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            Thread.State before = thread.getState();
            thread.start();
            while (thread.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            latch.countDown();
            thread.join();
            return before + " " + thread.getState();
        });
        for (int priority = Thread.MIN_PRIORITY; priority <= Thread.MAX_PRIORITY; priority += 3) {
            int wanted = priority;
            checks.check("priority " + wanted, () -> {
                int[] seen = new int[1];
                Thread thread =
                        new Thread(() -> seen[0] = Thread.currentThread().getPriority());
                thread.setPriority(wanted);
                thread.start();
                thread.join();
                return seen[0];
            });
        }
        checks.check("deadlock is found", () -> {
            ReentrantLock first = new ReentrantLock(), second = new ReentrantLock();
            CyclicBarrier both = new CyclicBarrier(2);
            Thread[] threads = new Thread[2];
            for (int i = 0; i < 2; i++) {
                ReentrantLock mine = i == 0 ? first : second, other = i == 0 ? second : first;
                threads[i] = new Thread(() -> {
                    mine.lock();
                    try {
                        both.await();
                        other.lockInterruptibly();
                        other.unlock();
                    } catch (Exception e) {
                        // The check ends it so.
                    } finally {
                        mine.unlock();
                    }
                });
                threads[i].start();
            }
            long[] found = null;
            while (found == null) {
                found = ManagementFactory.getThreadMXBean().findDeadlockedThreads();
                Thread.onSpinWait();
            }
            for (Thread thread : threads) {
                thread.interrupt();
                thread.join();
            }
            return found.length;
        });
        checks.check("1000 threads one after the other", () -> {
            AtomicInteger sum = new AtomicInteger();
            for (int i = 0; i < 1000; i++) {
                Thread thread = new Thread(sum::incrementAndGet);
                thread.start();
                thread.join();
            }
            return sum.get();
        });
    }
}
