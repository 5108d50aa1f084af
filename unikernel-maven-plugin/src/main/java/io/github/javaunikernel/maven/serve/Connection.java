// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;

/**
 * A client's connection, and the one to the instance that it was given. Its bytes are read from the beginning, so that
 * a client that gives up while it waits is noticed. An instance that ends without having closed the connection resets
 * it, which no client can take for the end of an answer. Only the front door's thread uses it.
 */
final class Connection implements Loop.Handler {

    /** Who gives instances to connections. */
    interface Keeper {
        /** The connection has reached its instance. */
        void connected(Connection connection);

        /** The instance has sent its first bytes on this connection. */
        void answered(Connection connection);

        /** The instance's side has ended: by its program, or with the machine? */
        void ended(Connection connection);

        /** The connection has not reached its instance and waits again. */
        void released(Connection connection);

        /** Nothing listens where the instance should. */
        void unreachable(Member instance);

        /** Both sides are closed. */
        void closed(Connection connection);
    }

    private final Loop loop;
    private final Keeper keeper;
    private final int port;
    private final SocketChannel client;
    private final SelectionKey clientKey;
    private final Flow up = new Flow(true);
    private final Flow down = new Flow(false);
    private Member member;
    private SocketChannel machine;
    private SelectionKey machineKey;
    private boolean answered;
    private boolean endNoted;
    private boolean closed;

    /**
     * Takes over a client.
     *
     * @param port the place of its port among those of the front door
     */
    Connection(Loop loop, Keeper keeper, int port, SocketChannel client) throws IOException {
        this.loop = loop;
        this.keeper = keeper;
        this.port = port;
        this.client = client;
        client.setOption(StandardSocketOptions.TCP_NODELAY, true);
        // A client that has vanished does not keep an instance for ever.
        client.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
        clientKey = loop.register(client, SelectionKey.OP_READ, this);
    }

    int port() {
        return port;
    }

    /** The instance, or null while there is none. */
    Member member() {
        return member;
    }

    /** Leads the connection to an instance. */
    void passTo(Member chosen) {
        member = chosen;
        InetSocketAddress address = chosen.take(this);
        try {
            machine = SocketChannel.open();
            machineKey = loop.register(machine, SelectionKey.OP_CONNECT, this);
            machine.setOption(StandardSocketOptions.TCP_NODELAY, true);
            if (machine.connect(address)) {
                keeper.connected(this);
                move();
            }
        } catch (ConnectException e) {
            beUnreachable();
        } catch (IOException e) {
            reset();
        }
    }

    /** The instance has ended: a connection that it had not taken waits for another one, and any other is lost. */
    void lose() {
        if (isConnected()) {
            reset();
        } else {
            release();
        }
    }

    /** The instance's program has closed its side itself. */
    void allowEnd() {
        down.allowEnd();
        moveOrReset();
    }

    @Override
    public void ready(SelectionKey key) {
        try {
            if (key.isConnectable()) {
                machine.finishConnect();
                keeper.connected(this);
            }
            if (key.isReadable()) {
                read(key);
            }
            move();
        } catch (ConnectException e) {
            beUnreachable();
        } catch (IOException e) {
            reset();
        }
    }

    private void beUnreachable() {
        Member unreached = member;
        release();
        keeper.unreachable(unreached);
    }

    /** Gives the instance back. */
    private void release() {
        Loop.reset(machine);
        machine = null;
        keeper.released(this);
        member = null;
    }

    private void read(SelectionKey key) throws IOException {
        if (key == clientKey) {
            up.read(client);
        } else if (down.read(machine) > 0 && !answered) {
            answered = true;
            keeper.answered(this);
        }
    }

    private void moveOrReset() {
        try {
            move();
        } catch (IOException e) {
            reset();
        }
    }

    /** Writes what can be written, and waits for what can happen next. */
    private void move() throws IOException {
        if (closed) {
            return;
        }
        if (isConnected()) {
            writeBoth();
            if (up.isDone() && down.isDone()) {
                close();
                return;
            }
            machineKey.interestOps(operations(down, up));
        }
        clientKey.interestOps(operations(up, down));
        if (down.hasEnded() && !endNoted) {
            endNoted = true;
            keeper.ended(this);
        }
    }

    private void writeBoth() throws IOException {
        if (up.canWrite()) {
            up.write(machine);
        }
        if (down.canWrite()) {
            down.write(client);
        }
    }

    private static int operations(Flow from, Flow to) {
        return (from.canRead() ? SelectionKey.OP_READ : 0) | (to.canWrite() ? SelectionKey.OP_WRITE : 0);
    }

    private boolean isConnected() {
        return machine != null && machine.isConnected();
    }

    private void close() throws IOException {
        closed = true;
        client.close();
        machine.close();
        keeper.closed(this);
    }

    /** Ends both sides so that each notices that the other has not ended in good order. */
    void reset() {
        if (closed) {
            return;
        }
        closed = true;
        Loop.reset(client);
        Loop.reset(machine);
        keeper.closed(this);
    }
}
