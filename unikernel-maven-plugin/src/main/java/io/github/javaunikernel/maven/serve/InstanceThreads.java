// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** Threads that wait for instances, and post to the front door's loop what has happened. */
final class InstanceThreads {

    /** What happens to instances; called in the loop's thread. */
    interface Events {
        /** The machine is there. */
        void started(Member member, Instance instance);

        /** Its program is ready. */
        void ready(Member member);

        /** There is no machine, or none any more. */
        void ended(Member member, String how);
    }

    /** Far longer than a thread takes that was interrupted and whose instance was killed. */
    private static final int SECONDS_TO_END = 60;

    private final Starter starter;
    private final Loop loop;
    private final Consumer<String> log;
    private final Set<Instance> running = ConcurrentHashMap.newKeySet();
    private final ExecutorService threads = Executors.newCachedThreadPool(work -> {
        Thread thread = new Thread(work, "unikernel instance");
        thread.setDaemon(true);
        return thread;
    });

    InstanceThreads(Starter starter, Loop loop, Consumer<String> log) {
        this.starter = starter;
        this.loop = loop;
        this.log = log;
    }

    /** Starts an instance and stays with it until its end. */
    void start(Member member, Events events) {
        threads.execute(() -> {
            String how = "The thread that watched it has failed. Run Maven with -e and report the error.";
            try {
                how = live(member, events);
            } catch (InstanceException e) {
                how = e.getMessage();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                String end = how;
                loop.post(() -> events.ended(member, end));
            }
        });
    }

    private String live(Member member, Events events) throws InstanceException, InterruptedException {
        Instance instance = starter.start(member.number());
        running.add(instance);
        try {
            loop.post(() -> events.started(member, instance));
            instance.awaitReady();
            loop.post(() -> events.ready(member));
            return instance.awaitEnd();
        } finally {
            instance.kill();
            running.remove(instance);
        }
    }

    /** Ends an instance in good order. */
    void stop(Instance instance) {
        end(instance::stop);
    }

    /** Ends an instance in good order that has answered and become idle. */
    void retire(Instance instance) {
        end(instance::retire);
    }

    private interface Ending {
        void run() throws InstanceException, InterruptedException;
    }

    private void end(Ending ending) {
        threads.execute(() -> {
            try {
                ending.run();
            } catch (InstanceException e) {
                log.accept(e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    /** Ends an instance by force. */
    void kill(Instance instance) {
        threads.execute(() -> killNow(instance));
    }

    /** Asks an instance whether it still runs; the answer comes in the loop's thread. */
    void ask(Instance instance, Consumer<Boolean> answer) {
        threads.execute(() -> {
            boolean responds = instance.responds();
            loop.post(() -> answer.accept(responds));
        });
    }

    /** Ends what is still there, and the threads: one that was writing a snapshot has deleted it on return. */
    void close() {
        running.forEach(this::killNow);
        threads.shutdownNow();
        try {
            if (!threads.awaitTermination(SECONDS_TO_END, TimeUnit.SECONDS)) {
                log.accept("An instance is still being ended. Look for QEMU among the processes of this machine,"
                        + " or on a Xen host for a domain with 'xl list'.");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void killNow(Instance instance) {
        try {
            instance.kill();
        } catch (InstanceException e) {
            log.accept(e.getMessage());
        }
    }
}
