// SPDX-License-Identifier: Apache-2.0
package example;

import java.lang.ref.SoftReference;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * 200 threads allocate, keep some of it, hand some of it to each other through shared places, and check all of it
 * again: what a collector has moved is as it was.
 */
final class Garbage {

    private static final int THREADS = 200;
    private static final int SHARED = 64;
    private static final int KEPT = 40;

    private final int rounds;
    private final AtomicReferenceArray<Node> shared = new AtomicReferenceArray<>(SHARED);

    Garbage(int scale) {
        rounds = 300 * scale;
    }

    /** A list whose parts know what they must hold. */
    private static final class Node {
        final long seed;
        final byte[] bytes;
        final Map<Integer, String> texts = new HashMap<>();
        final Node next;

        Node(long seed, int depth) {
            this.seed = seed;
            bytes = new byte[16 + (int) (seed & 1023)];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) (seed + i);
            }
            for (int i = 0; i < 4; i++) {
                texts.put(i, Long.toString(seed + i));
            }
            next = depth == 0 ? null : new Node(seed + 1, depth - 1);
        }

        void check() {
            for (Node node = this; node != null; node = node.next) {
                for (int i = 0; i < node.bytes.length; i++) {
                    Handovers.check(node.bytes[i] == (byte) (node.seed + i), "a byte has changed");
                }
                for (int i = 0; i < 4; i++) {
                    Handovers.check(Long.toString(node.seed + i).equals(node.texts.get(i)), "a text has changed");
                }
            }
        }
    }

    private void work() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        List<Node> kept = new ArrayList<>();
        List<WeakReference<Node>> weak = new ArrayList<>();
        SoftReference<Node> soft = new SoftReference<>(new Node(random.nextLong(1 << 20), 2));
        for (int i = 0; i < rounds; i++) {
            Node made = new Node(random.nextLong(1 << 20), 5);
            weak.add(new WeakReference<>(made));
            if (kept.size() < KEPT) {
                kept.add(made);
            } else {
                kept.set(random.nextInt(KEPT), made);
            }
            Node other = shared.getAndSet(random.nextInt(SHARED), made);
            if (other != null) {
                other.check();
            }
            kept.get(random.nextInt(kept.size())).check();
            Node alive = weak.get(random.nextInt(weak.size())).get();
            if (alive != null) {
                alive.check();
            }
            Node softly = soft.get();
            if (softly == null) {
                soft = new SoftReference<>(made);
            } else {
                softly.check();
            }
            if (i % 16 == 0) {
                ByteBuffer direct = ByteBuffer.allocateDirect(8192);
                Handovers.check(direct.getLong(random.nextInt(1024) * 8) == 0, "direct memory is not zero");
                direct.putLong(0, -1);
            }
            Progress.step();
        }
        kept.forEach(Node::check);
    }

    String run() throws Exception {
        List<Handovers.Work> all = new ArrayList<>(Handovers.times(THREADS, this::work));
        all.add(() -> {
            for (int i = 0; i < 10; i++) {
                System.gc();
                Progress.step();
            }
        });
        Handovers.together(all);
        return THREADS + " threads, " + rounds + " rounds each";
    }
}
