// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.run.Stoppable;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Listens on ports and leads each connection to an instance, which is started when there is none. Shutting down lets
 * open connections end, up to a limit; killing does not.
 */
public final class FrontDoor implements Stoppable, Closeable {

    /** Connections that the system holds until they are accepted; it lowers the number to its own limit. */
    private static final int BACKLOG = 4096;

    /** How long nothing is accepted after that has failed. */
    private static final long PAUSE = Duration.ofSeconds(1).toNanos();

    private final Loop loop;
    private final InstanceThreads threads;
    private final Pool pool;
    private final Consumer<String> log;
    private final List<ServerSocketChannel> doors;
    private final List<SelectionKey> paused = new ArrayList<>();
    private long pausedUntil;

    private FrontDoor(
            List<ServerSocketChannel> doors, Limits limits, Starter starter, LongSupplier clock, Consumer<String> log)
            throws IOException {
        this.doors = doors;
        this.log = log;
        loop = new Loop(clock);
        threads = new InstanceThreads(starter, loop, log);
        pool = new Pool(ports(), limits, threads, loop, log);
    }

    /**
     * Listens from now on; {@link #run} accepts.
     *
     * @param ports of the address; 0 for a free one. Their order is that of the instances' addresses.
     * @param clock in nanoseconds, never going back
     * @param log gets what happens
     */
    public static FrontDoor open(
            InetAddress address,
            List<Integer> ports,
            Limits limits,
            Starter starter,
            LongSupplier clock,
            Consumer<String> log)
            throws SettingException, IOException {
        List<ServerSocketChannel> doors = new ArrayList<>();
        try {
            for (int port : ports) {
                doors.add(ServerSocketChannel.open());
                bind(doors.get(doors.size() - 1), new InetSocketAddress(address, port));
            }
            return new FrontDoor(doors, limits, starter, clock, log);
        } catch (SettingException | IOException e) {
            for (ServerSocketChannel door : doors) {
                door.close();
            }
            throw e;
        }
    }

    private static void bind(ServerSocketChannel door, InetSocketAddress address) throws SettingException {
        try {
            door.bind(address, BACKLOG);
        } catch (IOException e) {
            throw new SettingException(
                    "hostPorts",
                    "Port " + address.getPort() + " of this machine is in use, or you may not use it.",
                    "End the program that uses it, choose another port, or use 0 for a free one.",
                    e);
        }
    }

    /** The ports on which it listens. */
    public List<Integer> ports() {
        return doors.stream().map(door -> door.socket().getLocalPort()).toList();
    }

    /** What its status page shows. */
    public Status status() {
        return pool.status();
    }

    /** Serves in the calling thread until it has been shut down and every instance has ended. */
    public void run() throws IOException, InterruptedException {
        try {
            for (int i = 0; i < doors.size(); i++) {
                ServerSocketChannel door = doors.get(i);
                int place = i;
                loop.register(door, SelectionKey.OP_ACCEPT, key -> accept(key, door, place));
            }
            loop.run(new Work());
        } finally {
            close();
        }
    }

    @Override
    public void shutDown() {
        loop.post(() -> {
            closeDoors();
            pool.drain();
        });
    }

    @Override
    public void kill() {
        loop.post(() -> {
            closeDoors();
            pool.kill();
        });
    }

    /** Runs an action between two events, and then looks at the clock; for one that does not follow the system's. */
    void between(Runnable action) {
        loop.post(action);
    }

    /** Ends everything at once; not while {@link #run} is running in another thread. */
    @Override
    public void close() throws IOException {
        closeDoors();
        threads.close();
        loop.close();
    }

    private void closeDoors() {
        for (ServerSocketChannel door : doors) {
            try {
                door.close();
            } catch (IOException e) {
                // A socket is closed whatever its close reports (close(2)).
            }
        }
        paused.clear();
    }

    /** The pool's work, and accepting again after a pause. */
    private final class Work implements Loop.Work {

        @Override
        public OptionalLong arrange(long now) {
            if (!paused.isEmpty() && pausedUntil - now <= 0) {
                paused.forEach(key -> key.interestOps(SelectionKey.OP_ACCEPT));
                paused.clear();
            }
            OptionalLong next = pool.arrange(now);
            boolean sooner = next.isEmpty() || next.getAsLong() - pausedUntil > 0;
            return paused.isEmpty() || !sooner ? next : OptionalLong.of(pausedUntil);
        }

        @Override
        public boolean isDone() {
            return pool.isDone();
        }
    }

    private void accept(SelectionKey key, ServerSocketChannel door, int place) {
        try {
            for (SocketChannel client = door.accept(); client != null; client = door.accept()) {
                admit(client, place);
            }
        } catch (IOException e) {
            // Most often there are too many open files, which changes when a connection ends.
            log.accept("A connection cannot be accepted: " + FileTrouble.reason(e) + ". Raise the limit of open files"
                    + " (ulimit -n), or lower -Dunikernel.serve.maxConnections.");
            key.interestOps(0);
            paused.add(key);
            pausedUntil = loop.now() + PAUSE;
        }
    }

    private void admit(SocketChannel client, int place) {
        try {
            pool.add(new Connection(loop, pool, place, client));
        } catch (IOException e) {
            Loop.reset(client);
        }
    }
}
