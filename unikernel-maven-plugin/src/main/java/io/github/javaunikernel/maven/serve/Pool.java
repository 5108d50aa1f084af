// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.serve.Member.State;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;

/**
 * Which instances there are, and which connection gets which. Events only note what has happened; {@link #arrange} then
 * compares what is with what should be. Only the front door's thread uses it.
 */
final class Pool implements Connection.Keeper, InstanceThreads.Events, Loop.Work {

    /** How many instances that have ended the status page shows. */
    private static final int ENDED_SHOWN = 20;

    private final List<Integer> ports;
    private final Limits limits;
    private final InstanceThreads threads;
    private final Loop loop;
    private final Consumer<String> log;
    private final List<Member> members = new ArrayList<>();
    private final Deque<Connection> waiting = new ArrayDeque<>();
    private final Deque<Status.Machine> ended = new ArrayDeque<>();
    private final Backoff backoff = new Backoff();
    private final Counters counters = new Counters();
    private OptionalLong drainUntil = OptionalLong.empty();
    private boolean changed = true;
    private boolean killed;
    private OptionalLong next = OptionalLong.empty();
    private volatile Status status;

    /** What the status page counts. */
    private static final class Counters {
        private long connections;
        private long rejected;
        private int starts;
        private int failures;
    }

    /**
     * A pool without instances.
     *
     * @param ports of the front door, for the status page
     */
    Pool(List<Integer> ports, Limits limits, InstanceThreads threads, Loop loop, Consumer<String> log) {
        this.ports = ports;
        this.limits = limits;
        this.threads = threads;
        this.loop = loop;
        this.log = log;
        status = describe();
    }

    /** Takes a connection that wants an instance. */
    void add(Connection connection) {
        counters.connections++;
        waiting.add(connection);
        changed = true;
    }

    /** Begins the end: open connections may go on for a while, and those without an instance are closed. */
    void drain() {
        if (drainUntil.isEmpty()) {
            drainUntil = OptionalLong.of(loop.now() + limits.drainTimeout().toNanos());
            changed = true;
            int open = members.stream().mapToInt(Member::load).sum();
            if (open > 0) {
                log.accept("Waiting up to " + limits.drainTimeout().toSeconds() + " s for open connections: " + open);
            }
        }
    }

    /** Ends everything at once. */
    void kill() {
        killed = true;
        drainUntil = OptionalLong.of(loop.now());
        members.forEach(Member::stopping);
        members.forEach(member -> member.instance().ifPresent(threads::kill));
        changed = true;
    }

    @Override
    public boolean isDone() {
        return drainUntil.isPresent() && members.isEmpty() && waiting.isEmpty();
    }

    @Override
    public void started(Member member, Instance instance) {
        member.started(instance);
        if (killed) {
            threads.kill(instance);
        } else if (member.is(State.STOPPING)) {
            threads.stop(instance);
        }
    }

    @Override
    public void ready(Member member) {
        if (member.is(State.STARTING)) {
            member.ready(loop.now());
            log.accept(String.format(
                    "Instance %d is ready after %.1f s (%s)",
                    member.number(),
                    member.status(null).secondsToReady(),
                    member.status(null).start()));
        }
        changed = true;
    }

    @Override
    public void ended(Member member, String how) {
        members.remove(member);
        ended.addFirst(member.status(how));
        if (ended.size() > ENDED_SHOWN) {
            ended.removeLast();
        }
        boolean failed = member.hasFailed();
        member.connections().forEach(Connection::lose);
        if (failed) {
            noteFailure(member, how);
        } else {
            backoff.endedWell();
            log.accept("Instance " + member.number() + " has ended");
        }
        changed = true;
    }

    private void noteFailure(Member member, String how) {
        long now = loop.now();
        counters.failures++;
        backoff.failed(member, now);
        Duration pause = Duration.ofNanos(Math.max(0, backoff.until() - now));
        log.accept("Instance " + member.number() + " has failed. " + how);
        if (backoff.isHopeless(now)) {
            log.accept("No instance has answered lately. Connections are closed for the next " + pause.toSeconds()
                    + " s. Correct what the console shows; the next connection after that starts an instance.");
        } else if (!pause.isZero()) {
            log.accept("The next instance is not started before " + pause.toSeconds() + " s have passed");
        }
    }

    @Override
    public void connected(Connection connection) {
        connection.member().connected(connection);
        changed = true;
    }

    @Override
    public void answered(Connection connection) {
        backoff.answered();
        Member member = connection.member();
        if (member.answers(loop.now())) {
            log.accept(String.format(
                    "Instance %d gave its first answer %.1f s after its start",
                    member.number(), member.status(null).secondsToFirstAnswer()));
            changed = true;
        }
    }

    @Override
    public void ended(Connection connection) {
        connection.member().doubt(connection);
    }

    @Override
    public void released(Connection connection) {
        connection.member().drop(connection, loop.now());
        waiting.addFirst(connection);
        changed = true;
    }

    @Override
    public void unreachable(Member member) {
        if (!member.is(State.STOPPING)) {
            log.accept("Instance " + member.number() + " takes no connections and is ended");
            member.condemn();
            member.instance().ifPresent(threads::kill);
        }
        changed = true;
    }

    @Override
    public void closed(Connection connection) {
        if (connection.member() == null) {
            waiting.remove(connection);
        } else {
            connection.member().drop(connection, loop.now());
        }
        changed = true;
    }

    @Override
    public OptionalLong arrange(long now) {
        while (changed || next.isPresent() && next.getAsLong() - now <= 0) {
            changed = false;
            drainUntil.ifPresent(until -> cutOff(until - now <= 0));
            rejectIfHopeless(now);
            place();
            startNeeded(now);
            stopIdle(now);
            next = deadline(now);
            status = describe();
        }
        return next;
    }

    private void cutOff(boolean all) {
        List.copyOf(waiting).forEach(Connection::reset);
        if (all) {
            members.forEach(member -> member.connections().forEach(Connection::reset));
        }
    }

    private void rejectIfHopeless(long now) {
        if (backoff.isHopeless(now) && count(State.READY) == 0) {
            counters.rejected += waiting.size();
            List.copyOf(waiting).forEach(Connection::reset);
        }
    }

    private void place() {
        Optional<Member> free = leastLoaded();
        while (!waiting.isEmpty() && free.isPresent()) {
            waiting.remove().passTo(free.get());
            free = leastLoaded();
        }
    }

    private Optional<Member> leastLoaded() {
        return members.stream()
                .filter(member -> freePlaces(member) > 0 && !member.isConnecting())
                .min(Comparator.comparingInt(Member::load).thenComparingInt(Member::number));
    }

    private int freePlaces(Member member) {
        return member.is(State.READY) ? limits.maxConnections() - member.load() : 0;
    }

    private void startNeeded(long now) {
        while (wanted() > alive() && members.size() < limits.max() && mayStart(now)) {
            Member member = new Member(++counters.starts, threads, now);
            members.add(member);
            log.accept("Starting instance " + member.number());
            threads.start(member, this);
        }
    }

    /** How many instances there should be, if that many are allowed. */
    private int wanted() {
        if (drainUntil.isPresent()) {
            return 0;
        }
        int placed = members.stream().mapToInt(this::freePlaces).sum();
        int left = Math.max(0, waiting.size() - placed);
        int forThem = (left + limits.maxConnections() - 1) / limits.maxConnections();
        return Math.max(limits.min(), count(State.READY) + forThem);
    }

    /** After a failure, one instance shows whether it works again before others are started. */
    private boolean mayStart(long now) {
        return !backoff.holds(now) && !(backoff.isCautious() && count(State.STARTING) > 0);
    }

    private void stopIdle(long now) {
        for (Member member : members) {
            boolean surplus = alive() > limits.min();
            boolean starting = member.is(State.STARTING);
            boolean idle = member.is(State.READY) && member.load() == 0;
            if (drainUntil.isPresent() ? starting || idle : surplus && idle && idleUntil(member) - now <= 0) {
                log.accept("Stopping instance " + member.number());
                member.stopping();
                boolean retires = drainUntil.isEmpty() && member.hasAnswered();
                member.instance().ifPresent(retires ? threads::retire : threads::stop);
            }
        }
    }

    private long idleUntil(Member member) {
        return member.idleSince() + limits.idleTimeout().toNanos();
    }

    private int alive() {
        return count(State.READY) + count(State.STARTING);
    }

    private int count(State state) {
        return (int) members.stream().filter(member -> member.is(state)).count();
    }

    /** The next time at which something is due that no event announces. */
    private OptionalLong deadline(long now) {
        List<Long> times = new ArrayList<>();
        drainUntil.ifPresent(times::add);
        if (backoff.holds(now)) {
            times.add(backoff.until());
        }
        if (drainUntil.isEmpty() && alive() > limits.min()) {
            members.stream()
                    .filter(member -> member.is(State.READY) && member.load() == 0)
                    .forEach(member -> times.add(idleUntil(member)));
        }
        return times.stream().mapToLong(time -> time - now).filter(left -> left > 0).min().stream()
                .map(left -> left + now)
                .findFirst();
    }

    /** The state after the last change. Any thread may call this. */
    Status status() {
        return status;
    }

    private Status describe() {
        return new Status(
                ports,
                drainUntil.isPresent() ? "draining" : "serving",
                waiting.size(),
                counters.connections,
                counters.rejected,
                counters.starts,
                counters.failures,
                limits.min(),
                limits.max(),
                limits.idleTimeout().toSeconds(),
                members.stream().map(member -> member.status(null)).toList(),
                List.copyOf(ended));
    }
}
