// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * What the pool knows of one instance. Only the front door's thread uses it, but for {@link #number}. Times are in
 * nanoseconds of the front door's clock.
 */
final class Member {

    /** The life of an instance. */
    enum State {
        STARTING,
        READY,
        STOPPING
    }

    private final int number;
    private final Instant startedAt = Instant.now();
    private final long started;
    private final Set<Connection> connections = new LinkedHashSet<>();
    private State state = State.STARTING;
    private final Doubts doubts;
    private Instance instance;
    private boolean condemned;
    private Connection connecting;
    private OptionalLong ready = OptionalLong.empty();
    private OptionalLong answered = OptionalLong.empty();
    private long idleSince;
    private long connectionsInAll;

    Member(int number, InstanceThreads threads, long now) {
        this.number = number;
        this.doubts = new Doubts(threads);
        this.started = now;
    }

    int number() {
        return number;
    }

    State state() {
        return state;
    }

    boolean is(State wanted) {
        return state == wanted;
    }

    /** The instance, once its start has returned. */
    Optional<Instance> instance() {
        return Optional.ofNullable(instance);
    }

    void started(Instance machine) {
        instance = machine;
    }

    void ready(long now) {
        state = State.READY;
        ready = OptionalLong.of(now);
        idleSince = now;
    }

    void stopping() {
        state = State.STOPPING;
    }

    /** It is ended because it does not work. */
    void condemn() {
        state = State.STOPPING;
        condemned = true;
    }

    /** Whether its end is a failure. */
    boolean hasFailed() {
        return condemned || state != State.STOPPING;
    }

    /** Asks whether the machine still runs, before the end of this connection is passed on. */
    void doubt(Connection connection) {
        doubts.add(instance, connection);
    }

    /** Takes a connection; returns where it leads. */
    InetSocketAddress take(Connection connection) {
        connections.add(connection);
        connecting = connection;
        connectionsInAll++;
        return instance.addresses().get(connection.port());
    }

    /** The connection has reached the instance. */
    void connected(Connection connection) {
        if (connecting == connection) {
            connecting = null;
        }
    }

    /**
     * Whether a connection is on its way to the instance. There is only one at a time: the port that QEMU forwards
     * holds no more that it has not accepted, and of many at once Linux resets some.
     */
    boolean isConnecting() {
        return connecting != null;
    }

    void drop(Connection connection, long now) {
        connected(connection);
        connections.remove(connection);
        idleSince = now;
    }

    /** Its connections, which the caller may close meanwhile. */
    List<Connection> connections() {
        return List.copyOf(connections);
    }

    int load() {
        return connections.size();
    }

    /** When the last of its connections was closed. */
    long idleSince() {
        return idleSince;
    }

    /** Notes the first bytes for a client; whether these are the first. */
    boolean answers(long now) {
        boolean first = answered.isEmpty();
        if (first) {
            answered = OptionalLong.of(now);
        }
        return first;
    }

    boolean hasAnswered() {
        return answered.isPresent();
    }

    /** How long it has been ready. */
    long readyFor(long now) {
        return ready.isPresent() ? now - ready.getAsLong() : 0;
    }

    /** What the status page shows of it. */
    Status.Machine status(String end) {
        return new Status.Machine(
                number,
                end == null ? state.name().toLowerCase(Locale.ROOT) : "ended",
                instance == null
                        ? List.of()
                        : instance.addresses().stream()
                                .map(address -> address.getHostString() + ":" + address.getPort())
                                .toList(),
                load(),
                connectionsInAll,
                startedAt.toString(),
                instance == null ? null : instance.isRestored() ? "restored" : "cold",
                seconds(ready),
                seconds(answered),
                end);
    }

    private Double seconds(OptionalLong time) {
        return time.isPresent() ? (time.getAsLong() - started) / 1e9 : null;
    }
}
