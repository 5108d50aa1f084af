// SPDX-License-Identifier: Apache-2.0
package example;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/** The concurrent collections: nothing is lost, doubled or out of order. */
final class Collections {

    private static final int THREADS = 2 * Runtime.getRuntime().availableProcessors();
    private final int steps;

    private Collections(int scale) {
        steps = 5000 * scale;
    }

    static void addTo(Map<String, Torture.Program> programs, int scale) {
        Collections collections = new Collections(scale);
        programs.put("collection.hashMapCounts", collections::hashMapCounts);
        programs.put("collection.hashMapGrows", collections::hashMapGrows);
        programs.put("collection.skipListStaysSorted", collections::skipListStaysSorted);
        programs.put("collection.queuesLoseNothing", collections::queuesLoseNothing);
        programs.put("collection.dequeLosesNothing", collections::dequeLosesNothing);
    }

    private String hashMapCounts() throws Exception {
        ConcurrentHashMap<Integer, Long> map = new ConcurrentHashMap<>();
        Handovers.together(Handovers.times(THREADS, () -> {
            for (int i = 0; i < steps; i++) {
                map.merge(i % 97, 1L, Long::sum);
                map.compute(-1 - i % 13, (key, old) -> old == null ? 1L : old + 1);
                Progress.step();
            }
        }));
        long sum = map.values().stream().mapToLong(Long::longValue).sum();
        Handovers.check(sum == 2L * THREADS * steps, "counted " + sum);
        Handovers.check(map.size() == 97 + 13, "keys: " + map.size());
        return "counted " + sum;
    }

    /** Keys of all threads, of which many collide, are added and half of them removed while the table grows. */
    private String hashMapGrows() throws Exception {
        record Key(int thread, int number) {
            @Override
            public int hashCode() {
                return number / 8;
            }
        }
        ConcurrentHashMap<Key, Integer> map = new ConcurrentHashMap<>(1);
        AtomicLong number = new AtomicLong();
        Handovers.together(Handovers.times(THREADS, () -> {
            int mine = (int) number.getAndIncrement();
            for (int i = 0; i < steps; i++) {
                Handovers.check(map.put(new Key(mine, i), i) == null, "a key was there before");
                if (i % 2 == 1) {
                    Handovers.check(map.remove(new Key(mine, i - 1)) == i - 1, "a key is gone");
                }
                Progress.step();
            }
        }));
        Handovers.check(map.size() == THREADS * (steps / 2), "keys: " + map.size());
        map.forEach((key, value) -> Handovers.check(key.number == value && value % 2 == 1, "a wrong value"));
        return "keys " + map.size();
    }

    private String skipListStaysSorted() throws Exception {
        ConcurrentSkipListMap<Integer, Integer> map = new ConcurrentSkipListMap<>();
        Handovers.together(Handovers.times(THREADS, () -> {
            ThreadLocalRandom random = ThreadLocalRandom.current();
            for (int i = 0; i < steps / 4; i++) {
                int key = random.nextInt(1000);
                map.put(key, key);
                map.remove(random.nextInt(1000));
                if (i % 100 == 0) {
                    int last = -1;
                    for (Map.Entry<Integer, Integer> entry : map.entrySet()) {
                        Handovers.check(entry.getKey() > last, "keys out of order");
                        Handovers.check(entry.getKey().equals(entry.getValue()), "a wrong value");
                        last = entry.getKey();
                    }
                }
                Progress.step();
            }
        }));
        return "keys at the end " + map.size();
    }

    private String queuesLoseNothing() throws Exception {
        List<BlockingQueue<Long>> queues =
                List.of(new ArrayBlockingQueue<>(3), new LinkedTransferQueue<>(), new LinkedBlockingDeque<>(2));
        for (BlockingQueue<Long> queue : queues) {
            moveThrough(queue);
        }
        return "elements " + 3L * THREADS * steps;
    }

    /** Each consumer sees the elements of a producer in their order. */
    private void moveThrough(BlockingQueue<Long> queue) throws Exception {
        AtomicLong number = new AtomicLong();
        AtomicLong sum = new AtomicLong();
        List<Handovers.Work> all = new ArrayList<>(Handovers.times(THREADS, () -> {
            long mine = number.getAndIncrement();
            for (long i = 1; i <= steps; i++) {
                queue.put(mine << 32 | i);
                Progress.step();
            }
        }));
        all.addAll(Handovers.times(THREADS, () -> {
            long[] last = new long[THREADS];
            for (int i = 0; i < steps; i++) {
                long element = queue.take();
                int producer = (int) (element >>> 32);
                long place = element & 0xffffffffL;
                Handovers.check(place > last[producer], "elements out of order");
                last[producer] = place;
                sum.addAndGet(place);
            }
        }));
        Handovers.together(all);
        Handovers.check(sum.get() == (long) THREADS * steps * (steps + 1) / 2, "sum: " + sum);
        Handovers.check(queue.isEmpty(), "elements are left");
    }

    private String dequeLosesNothing() throws Exception {
        ConcurrentLinkedDeque<Long> deque = new ConcurrentLinkedDeque<>();
        AtomicLong added = new AtomicLong();
        AtomicLong taken = new AtomicLong();
        Handovers.together(Handovers.times(THREADS, () -> {
            ThreadLocalRandom random = ThreadLocalRandom.current();
            for (int i = 0; i < steps; i++) {
                long value = random.nextLong(1_000_000);
                added.addAndGet(value);
                if (i % 2 == 0) {
                    deque.addFirst(value);
                } else {
                    deque.addLast(value);
                }
                Long other = i % 3 == 0 ? deque.pollFirst() : deque.pollLast();
                taken.addAndGet(other == null ? 0 : other);
                Progress.step();
            }
        }));
        for (Long rest = deque.poll(); rest != null; rest = deque.poll()) {
            taken.addAndGet(rest);
        }
        Handovers.check(added.get() == taken.get(), "added " + added + ", taken " + taken);
        return "sum " + added;
    }
}
