// SPDX-License-Identifier: Apache-2.0
package example;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.StampedLock;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.IIII_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * Small programs of two to four threads, each run millions of times, with the outcomes that the Java memory model
 * forbids. Where it allows more than a processor shows, all of that is acceptable.
 */
public final class Litmus {

    private Litmus() {}

    /** Each thread's write is before its read in the one order of all volatile accesses. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = Expect.FORBIDDEN, desc = "Both reads overtook the writes.")
    @Outcome(expect = Expect.ACCEPTABLE, desc = "One of them saw the other's write.")
    @State
    public static class StoreBufferingVolatile {
        volatile int x;
        volatile int y;

        @Actor
        public void first(II_Result result) {
            x = 1;
            result.r1 = y;
        }

        @Actor
        public void second(II_Result result) {
            y = 1;
            result.r2 = x;
        }
    }

    /** Shows that the machine reorders at all: the same without volatile. */
    @JCStressTest
    @Outcome(expect = Expect.ACCEPTABLE, desc = "Any.")
    @State
    public static class StoreBufferingPlain {
        int x;
        int y;

        @Actor
        public void first(II_Result result) {
            x = 1;
            result.r1 = y;
        }

        @Actor
        public void second(II_Result result) {
            y = 1;
            result.r2 = x;
        }
    }

    /** Plain accesses with full fences between. */
    @JCStressTest
    @Outcome(id = "0, 0", expect = Expect.FORBIDDEN, desc = "Both reads overtook the fences.")
    @Outcome(expect = Expect.ACCEPTABLE, desc = "One of them saw the other's write.")
    @State
    public static class StoreBufferingFences {
        private static final VarHandle X = field(StoreBufferingFences.class, "x", int.class);
        private static final VarHandle Y = field(StoreBufferingFences.class, "y", int.class);
        int x;
        int y;

        @Actor
        public void first(II_Result result) {
            X.setOpaque(this, 1);
            VarHandle.fullFence();
            result.r1 = (int) Y.getOpaque(this);
        }

        @Actor
        public void second(II_Result result) {
            Y.setOpaque(this, 1);
            VarHandle.fullFence();
            result.r2 = (int) X.getOpaque(this);
        }
    }

    /** Both threads must not be in the critical section: Dekker's algorithm, without its second try. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = Expect.FORBIDDEN, desc = "Both entered.")
    @Outcome(expect = Expect.ACCEPTABLE, desc = "One entered, or none.")
    @State
    public static class Dekker {
        volatile boolean wants1;
        volatile boolean wants2;

        @Actor
        public void first(II_Result result) {
            wants1 = true;
            result.r1 = wants2 ? 0 : 1;
        }

        @Actor
        public void second(II_Result result) {
            wants2 = true;
            result.r2 = wants1 ? 0 : 1;
        }
    }

    /** Independent reads of independent writes: two readers agree on the order of two writes. */
    @JCStressTest
    @Outcome(id = "1, 0, 1, 0", expect = Expect.FORBIDDEN, desc = "The readers saw the writes in different orders.")
    @Outcome(expect = Expect.ACCEPTABLE, desc = "One order explains it.")
    @State
    public static class IndependentReads {
        volatile int x;
        volatile int y;

        @Actor
        public void writeX() {
            x = 1;
        }

        @Actor
        public void writeY() {
            y = 1;
        }

        @Actor
        public void readXy(IIII_Result result) {
            result.r1 = x;
            result.r2 = y;
        }

        @Actor
        public void readYx(IIII_Result result) {
            result.r3 = y;
            result.r4 = x;
        }
    }

    /** What is written before a volatile flag is seen after it. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = Expect.FORBIDDEN, desc = "The flag came without the data.")
    @Outcome(expect = Expect.ACCEPTABLE, desc = "Not yet, or both.")
    @State
    public static class MessageVolatile {
        int data;
        volatile int flag;

        @Actor
        public void writer() {
            data = 1;
            flag = 1;
        }

        @Actor
        public void reader(II_Result result) {
            result.r1 = flag;
            result.r2 = data;
        }
    }

    /** The same by release and acquire. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = Expect.FORBIDDEN, desc = "The flag came without the data.")
    @Outcome(expect = Expect.ACCEPTABLE, desc = "Not yet, or both.")
    @State
    public static class MessageReleaseAcquire {
        private static final VarHandle FLAG = field(MessageReleaseAcquire.class, "flag", int.class);
        int data;
        int flag;

        @Actor
        public void writer() {
            data = 1;
            FLAG.setRelease(this, 1);
        }

        @Actor
        public void reader(II_Result result) {
            result.r1 = (int) FLAG.getAcquire(this);
            result.r2 = data;
        }
    }

    /** Two opaque reads of one variable do not go back in time. */
    @JCStressTest
    @Outcome(id = "1, 0", expect = Expect.FORBIDDEN, desc = "The second read saw the older value.")
    @Outcome(expect = Expect.ACCEPTABLE, desc = "In order.")
    @State
    public static class CoherenceOpaque {
        private static final VarHandle X = field(CoherenceOpaque.class, "x", int.class);
        int x;

        @Actor
        public void writer() {
            X.setOpaque(this, 1);
        }

        @Actor
        public void reader(II_Result result) {
            result.r1 = (int) X.getOpaque(this);
            result.r2 = (int) X.getOpaque(this);
        }
    }

    /** Final fields are whole even if the object is published by a race. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "7, 9"},
            expect = Expect.ACCEPTABLE,
            desc = "Not published yet, or whole.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "A field had its default value.")
    @State
    public static class PublicationOfFinals {
        Pair pair;

        static final class Pair {
            final int a;
            final int b;

            Pair(int a, int b) {
                this.a = a;
                this.b = b;
            }
        }

        @Actor
        public void writer() {
            pair = new Pair(7, 9);
        }

        @Actor
        public void reader(II_Result result) {
            Pair seen = pair;
            result.r1 = seen == null ? 0 : seen.a;
            result.r2 = seen == null ? 0 : seen.b;
        }
    }

    /** A long is read whole where it is volatile. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "-1, -1"},
            expect = Expect.ACCEPTABLE,
            desc = "Before, or after.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Half of it.")
    @State
    public static class LongIsWhole {
        volatile long x;

        @Actor
        public void writer() {
            x = -1L;
        }

        @Actor
        public void reader(II_Result result) {
            long seen = x;
            result.r1 = (int) seen;
            result.r2 = (int) (seen >>> 32);
        }
    }

    /** Of two that exchange the same value one wins. */
    @JCStressTest
    @Outcome(
            id = {"1, 0", "0, 1"},
            expect = Expect.ACCEPTABLE,
            desc = "One of them.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Both, or none.")
    @State
    public static class CompareAndSetOnce {
        private final AtomicReference<String> winner = new AtomicReference<>();

        @Actor
        public void first(II_Result result) {
            result.r1 = winner.compareAndSet(null, "first") ? 1 : 0;
        }

        @Actor
        public void second(II_Result result) {
            result.r2 = winner.compareAndSet(null, "second") ? 1 : 0;
        }
    }

    /** A loop that tries until its exchange succeeds loses no addition; nor does getAndAdd. */
    @JCStressTest
    @Outcome(id = "6", expect = Expect.ACCEPTABLE, desc = "All additions.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "An addition was lost.")
    @State
    public static class CompareAndSetLoop {
        private final AtomicInteger sum = new AtomicInteger();

        private void add(int more) {
            int before;
            do {
                before = sum.get();
            } while (!sum.weakCompareAndSetPlain(before, before + more));
        }

        @Actor
        public void first() {
            add(1);
        }

        @Actor
        public void second() {
            add(2);
        }

        @Actor
        public void third() {
            sum.getAndAdd(3);
        }

        @Arbiter
        public void end(I_Result result) {
            result.r1 = sum.get();
        }
    }

    /** Four threads add. */
    @JCStressTest
    @Outcome(id = "8, 8, 8, 8", expect = Expect.ACCEPTABLE, desc = "All additions.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "An addition was lost.")
    @State
    public static class Counters {
        private final ReentrantLock lock = new ReentrantLock();
        private final ReentrantLock fair = new ReentrantLock(true);
        private final LongAdder adder = new LongAdder();
        private int underMonitor;
        private int underLock;
        private int underFairLock;

        private void addTwice() {
            for (int i = 0; i < 2; i++) {
                synchronized (this) {
                    underMonitor++;
                }
                lock.lock();
                underLock++;
                lock.unlock();
                fair.lock();
                underFairLock++;
                fair.unlock();
                adder.increment();
            }
        }

        @Actor
        public void first() {
            addTwice();
        }

        @Actor
        public void second() {
            addTwice();
        }

        @Actor
        public void third() {
            addTwice();
        }

        @Actor
        public void fourth() {
            addTwice();
        }

        @Arbiter
        public void end(IIII_Result result) {
            result.r1 = underMonitor;
            result.r2 = underLock;
            result.r3 = underFairLock;
            result.r4 = (int) adder.sum();
        }
    }

    /** An optimistic read that is validated saw one state. */
    @JCStressTest
    @Outcome(
            id = {"0, 0", "1, 1", "-1, -1"},
            expect = Expect.ACCEPTABLE,
            desc = "One state, or not validated.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Two states.")
    @State
    public static class OptimisticRead {
        private final StampedLock lock = new StampedLock();
        private int x;
        private int y;

        @Actor
        public void writer() {
            long stamp = lock.writeLock();
            x = 1;
            y = 1;
            lock.unlockWrite(stamp);
        }

        @Actor
        public void reader(II_Result result) {
            long stamp = lock.tryOptimisticRead();
            int seenX = x;
            int seenY = y;
            boolean valid = stamp != 0 && lock.validate(stamp);
            result.r1 = valid ? seenX : -1;
            result.r2 = valid ? seenY : -1;
        }
    }

    /** A key is computed by one, and both get what it computed. */
    @JCStressTest
    @Outcome(
            id = {"1, 1", "2, 2"},
            expect = Expect.ACCEPTABLE,
            desc = "One of them.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Each its own.")
    @State
    public static class MapComputesOnce {
        private final ConcurrentHashMap<String, Integer> map = new ConcurrentHashMap<>();

        @Actor
        public void first(II_Result result) {
            result.r1 = map.computeIfAbsent("key", key -> 1);
        }

        @Actor
        public void second(II_Result result) {
            result.r2 = map.computeIfAbsent("key", key -> 2);
        }
    }

    /** What one thread adds comes out in its order, once. */
    @JCStressTest
    @Outcome(
            id = {"1, 2", "1, 0", "0, 0", "0, 1"},
            expect = Expect.ACCEPTABLE,
            desc = "As far as they were there.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "Out of order, or twice.")
    @State
    public static class QueueKeepsOrder {
        private final ConcurrentLinkedQueue<Integer> queue = new ConcurrentLinkedQueue<>();

        @Actor
        public void producer() {
            queue.add(1);
            queue.add(2);
        }

        @Actor
        public void consumer(II_Result result) {
            Integer first = queue.poll();
            Integer second = queue.poll();
            result.r1 = first == null ? 0 : first;
            result.r2 = second == null ? 0 : second;
        }
    }

    /** What is done before a latch opens is seen after it. */
    @JCStressTest
    @Outcome(id = "1, 1", expect = Expect.ACCEPTABLE, desc = "Both.")
    @Outcome(expect = Expect.FORBIDDEN, desc = "The latch opened early.")
    @State
    public static class LatchPublishes {
        private final CountDownLatch latch = new CountDownLatch(2);
        private int x;
        private int y;

        @Actor
        public void first() {
            x = 1;
            latch.countDown();
        }

        @Actor
        public void second() {
            y = 1;
            latch.countDown();
        }

        @Actor
        public void reader(II_Result result) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            result.r1 = x;
            result.r2 = y;
        }
    }

    private static VarHandle field(Class<?> owner, String name, Class<?> type) {
        try {
            return MethodHandles.privateLookupIn(owner, MethodHandles.lookup()).findVarHandle(owner, name, type);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }
}
