// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app.conformance;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.AsynchronousServerSocketChannel;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.channels.DatagramChannel;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;

/** java.nio.channels: files and mappings, sockets without blocking, selectors, pipes, local sockets. */
final class ChannelChecks implements Conformance.Area {

    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private Conformance checks;

    @Override
    public void run(Conformance all) throws Exception {
        checks = all;
        files();
        mappings();
        locks();
        pipes();
        selectors();
        streams(StandardProtocolFamily.INET);
        streams(StandardProtocolFamily.UNIX);
        datagrams();
        asynchronous();
    }

    private FileChannel open(String name) throws Exception {
        return FileChannel.open(
                checks.file(name), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private static ByteBuffer buffer(String text) {
        return ByteBuffer.wrap(text.getBytes());
    }

    private static String text(ByteBuffer buffer) {
        buffer.flip();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return new String(bytes);
    }

    private void files() {
        for (int position : new int[] {0, 1, 4095, 4096, 100_000}) {
            checks.check("write at " + position, () -> {
                try (FileChannel channel = open("at" + position)) {
                    int written = channel.write(buffer("abc"), position);
                    ByteBuffer read = ByteBuffer.allocate(10);
                    int got = channel.read(read, position + 1);
                    return written + " " + got + " " + text(read) + " " + channel.size() + " " + channel.position();
                }
            });
        }
        checks.check("gather and scatter", () -> {
            try (FileChannel channel = open("vectors")) {
                long written = channel.write(new ByteBuffer[] {buffer("ab"), buffer(""), buffer("cdef")});
                channel.position(1);
                ByteBuffer[] parts = {ByteBuffer.allocate(1), ByteBuffer.allocate(0), ByteBuffer.allocate(9)};
                return written + " " + channel.read(parts) + " " + text(parts[0]) + " " + text(parts[2]);
            }
        });
        checks.check("read at the end", () -> {
            try (FileChannel channel = open("vectors")) {
                return channel.read(ByteBuffer.allocate(4), 6) + " " + channel.read(ByteBuffer.allocate(4), 600);
            }
        });
        checks.check("truncate", () -> {
            try (FileChannel channel = open("vectors")) {
                channel.position(6).truncate(3);
                return channel.size() + " " + channel.position() + " "
                        + channel.truncate(100).size();
            }
        });
        for (int count : new int[] {0, 1, 70_000, 1_000_000}) {
            checks.check("transfer of " + count, () -> {
                Files.write(checks.file("source"), new byte[count]);
                try (FileChannel from = open("source");
                        FileChannel to = open("sink" + count)) {
                    return from.transferTo(0, count + 10, to) + " " + to.transferFrom(from.position(0), 5, count) + " "
                            + to.size();
                }
            });
        }
        checks.check("write what is only read", () -> {
            try (FileChannel channel = FileChannel.open(checks.file("source"))) {
                return channel.write(buffer("x"));
            }
        });
        checks.check("force", () -> {
            try (FileChannel channel = open("source")) {
                channel.force(false);
                channel.force(true);
                return "forced";
            }
        });
    }

    private void mappings() {
        for (FileChannel.MapMode mode : new FileChannel.MapMode[] {
            FileChannel.MapMode.READ_ONLY, FileChannel.MapMode.READ_WRITE, FileChannel.MapMode.PRIVATE
        }) {
            checks.check("mapping " + mode, () -> {
                try (FileChannel channel = open("mapped")) {
                    channel.write(buffer("0123456789"), 0);
                    MappedByteBuffer mapped = channel.map(mode, 0, 10);
                    char first = (char) mapped.get(0);
                    mapped.put(0, (byte) 'x');
                    ByteBuffer read = ByteBuffer.allocate(3);
                    channel.read(read, 0);
                    return first + " " + (char) mapped.get(0) + " " + text(read);
                }
            });
        }
        checks.check("a mapping makes the file larger", () -> {
            try (FileChannel channel = open("large")) {
                MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_WRITE, 5000, 10_000);
                mapped.putInt(9_996, 42);
                mapped.force();
                ByteBuffer read = ByteBuffer.allocate(4);
                channel.read(read, 14_996);
                return channel.size() + " " + read.flip().getInt();
            }
        });
        checks.check("a write is seen through a mapping", () -> {
            try (FileChannel channel = open("seen")) {
                MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, 8192);
                channel.write(buffer("hello"), 4094);
                byte[] bytes = new byte[5];
                mapped.get(4094, bytes);
                return new String(bytes);
            }
        });
        checks.check("mapping of nothing", () -> {
            try (FileChannel channel = open("nothing")) {
                return channel.map(FileChannel.MapMode.READ_WRITE, 0, 0).capacity() + " " + channel.size();
            }
        });
    }

    private void locks() {
        checks.check("exclusive lock", () -> {
            try (FileChannel channel = open("locked");
                    FileLock lock = channel.lock()) {
                return lock.isShared() + " " + lock.isValid() + " " + lock.position() + " " + lock.size();
            }
        });
        checks.check("shared lock", () -> {
            try (FileChannel channel = open("locked");
                    FileLock lock = channel.tryLock(10, 20, true)) {
                return lock.isShared() + " " + lock.overlaps(15, 1) + " " + lock.overlaps(30, 1);
            }
        });
        checks.check("overlapping lock", () -> {
            try (FileChannel first = open("locked");
                    FileChannel second = open("locked");
                    FileLock lock = first.lock(0, 10, false)) {
                return lock.isValid() + " " + second.tryLock(5, 10, false);
            }
        });
    }

    private void pipes() {
        checks.check("pipe", () -> {
            Pipe pipe = Pipe.open();
            pipe.sink().write(buffer("through"));
            ByteBuffer read = ByteBuffer.allocate(20);
            pipe.source().read(read);
            pipe.sink().close();
            return text(read) + " " + pipe.source().read(ByteBuffer.allocate(1));
        });
        checks.check("pipe that is full", () -> {
            Pipe pipe = Pipe.open();
            pipe.sink().configureBlocking(false);
            long total = 0;
            for (int n = 1; n > 0; ) {
                n = pipe.sink().write(ByteBuffer.allocate(4096));
                total += n;
            }
            return total;
        });
        checks.check("pipe without a reader", () -> {
            Pipe pipe = Pipe.open();
            pipe.source().close();
            return pipe.sink().write(buffer("x"));
        });
        checks.check("empty pipe", () -> {
            Pipe pipe = Pipe.open();
            pipe.source().configureBlocking(false);
            return pipe.source().read(ByteBuffer.allocate(1));
        });
    }

    private void selectors() {
        checks.check("nothing to select", () -> {
            try (Selector selector = Selector.open()) {
                return selector.selectNow() + " " + selector.select(1);
            }
        });
        checks.check("wakeup before select", () -> {
            try (Selector selector = Selector.open()) {
                selector.wakeup();
                return selector.select() + " " + selector.keys().size();
            }
        });
        checks.check("accept, connect, read, write", () -> {
            try (Selector selector = Selector.open();
                    ServerSocketChannel server = ServerSocketChannel.open();
                    SocketChannel client = SocketChannel.open()) {
                server.bind(new InetSocketAddress(LOOPBACK, 0)).configureBlocking(false);
                server.register(selector, SelectionKey.OP_ACCEPT);
                client.configureBlocking(false);
                boolean at = client.connect(server.getLocalAddress());
                client.register(selector, at ? SelectionKey.OP_WRITE : SelectionKey.OP_CONNECT);
                int seen = 0;
                String got = "";
                while (got.length() < 5) {
                    selector.select();
                    for (SelectionKey key : selector.selectedKeys()) {
                        seen |= key.readyOps();
                        if (key.isAcceptable()) {
                            SocketChannel accepted = server.accept();
                            accepted.configureBlocking(false);
                            accepted.register(selector, SelectionKey.OP_READ);
                        } else if (key.isConnectable()) {
                            client.finishConnect();
                            key.interestOps(SelectionKey.OP_WRITE);
                        } else if (key.isWritable()) {
                            client.write(buffer("hello"));
                            key.interestOps(0);
                        } else if (key.isReadable()) {
                            ByteBuffer read = ByteBuffer.allocate(10);
                            ((SocketChannel) key.channel()).read(read);
                            got += text(read);
                        }
                    }
                    selector.selectedKeys().clear();
                }
                for (SelectionKey key : selector.keys()) {
                    key.channel().close();
                }
                return (seen & ~SelectionKey.OP_CONNECT) + " " + got;
            }
        });
        checks.check("cancelled key", () -> {
            try (Selector selector = Selector.open();
                    DatagramChannel channel = DatagramChannel.open()) {
                channel.configureBlocking(false);
                SelectionKey key = channel.register(selector, SelectionKey.OP_WRITE);
                int ready = selector.select();
                key.cancel();
                return ready + " " + selector.selectNow() + " "
                        + selector.keys().size() + " " + key.isValid();
            }
        });
        checks.check("closing ends a select", () -> {
            Selector selector = Selector.open();
            Thread closer = new Thread(() -> {
                try {
                    selector.close();
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            closer.start();
            try {
                selector.select();
                return "ended";
            } catch (java.nio.channels.ClosedSelectorException e) {
                return "ended";
            } finally {
                closer.join();
            }
        });
        checks.check("interest in what is not there", () -> {
            try (Selector selector = Selector.open();
                    ServerSocketChannel server = ServerSocketChannel.open()) {
                server.configureBlocking(false);
                return server.register(selector, SelectionKey.OP_READ);
            }
        });
    }

    private interface Pair {
        Object use(SocketChannel client, SocketChannel server) throws Exception;
    }

    private Object pair(StandardProtocolFamily family, Pair pair) throws Exception {
        try (ServerSocketChannel server = ServerSocketChannel.open(family)) {
            server.bind(
                    family == StandardProtocolFamily.UNIX
                            ? UnixDomainSocketAddress.of(checks.file("socket"))
                            : new InetSocketAddress(LOOPBACK, 0));
            try (SocketChannel client = SocketChannel.open(server.getLocalAddress());
                    SocketChannel accepted = server.accept()) {
                return pair.use(client, accepted);
            }
        } finally {
            Files.deleteIfExists(checks.file("socket"));
        }
    }

    private void streams(StandardProtocolFamily family) {
        String kind = " by " + family;
        checks.check(
                "hello" + kind,
                () -> pair(family, (client, server) -> {
                    client.write(buffer("hello"));
                    ByteBuffer read = ByteBuffer.allocate(9);
                    return server.read(read) + " " + text(read);
                }));
        checks.check(
                "end of the stream" + kind,
                () -> pair(family, (client, server) -> {
                    client.write(buffer("x"));
                    client.shutdownOutput();
                    return server.read(ByteBuffer.allocate(9)) + " " + server.read(ByteBuffer.allocate(9)) + " "
                            + server.write(buffer("back")) + " " + client.read(ByteBuffer.allocate(9));
                }));
        checks.check(
                "write after shutdown" + kind,
                () -> pair(family, (client, server) -> {
                    client.shutdownOutput();
                    return client.write(buffer("x"));
                }));
        checks.check(
                "read after shutdown" + kind,
                () -> pair(family, (client, server) -> {
                    client.shutdownInput();
                    return client.read(ByteBuffer.allocate(1));
                }));
        checks.check(
                "nothing there" + kind,
                () -> pair(family, (client, server) -> {
                    client.configureBlocking(false);
                    return client.read(ByteBuffer.allocate(1));
                }));
        checks.check(
                "a megabyte" + kind,
                () -> pair(family, (client, server) -> {
                    Thread writer = new Thread(() -> {
                        ByteBuffer all = ByteBuffer.allocate(1 << 20);
                        try {
                            while (all.hasRemaining()) {
                                client.write(all);
                            }
                            client.shutdownOutput();
                        } catch (java.io.IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    });
                    writer.start();
                    long total = 0;
                    ByteBuffer part = ByteBuffer.allocate(10_000);
                    for (int n = server.read(part); n >= 0; n = server.read(part)) {
                        total += n;
                        part.clear();
                    }
                    writer.join();
                    return total;
                }));
        checks.check(
                "closed by another thread" + kind,
                () -> pair(family, (client, server) -> {
                    Thread closer = new Thread(() -> {
                        try {
                            client.close();
                        } catch (java.io.IOException e) {
                            throw new java.io.UncheckedIOException(e);
                        }
                    });
                    closer.start();
                    try {
                        return client.read(ByteBuffer.allocate(1));
                    } catch (java.nio.channels.ClosedChannelException e) {
                        return "closed";
                    } finally {
                        closer.join();
                    }
                }));
        checks.check(
                "interrupted" + kind,
                () -> pair(family, (client, server) -> {
                    Thread.currentThread().interrupt();
                    try {
                        return client.read(ByteBuffer.allocate(1));
                    } finally {
                        Thread.interrupted();
                    }
                }));
        checks.check(
                "addresses" + kind,
                () -> pair(
                        family,
                        (client, server) -> client.getRemoteAddress().equals(server.getLocalAddress()) + " "
                                + client.isConnected()));
        checks.check(
                "options" + kind,
                () -> pair(
                        family,
                        (client, server) -> new java.util.TreeSet<>(client.supportedOptions().stream()
                                .map(Object::toString)
                                .toList())));
    }

    private void datagrams() {
        checks.check("datagram without a connection", () -> {
            try (DatagramChannel server = DatagramChannel.open();
                    DatagramChannel client = DatagramChannel.open()) {
                server.bind(new InetSocketAddress(LOOPBACK, 0));
                int sent = client.send(buffer("one"), server.getLocalAddress());
                ByteBuffer read = ByteBuffer.allocate(2);
                return sent + " " + (server.receive(read) != null) + " " + text(read);
            }
        });
        checks.check("datagram on a connection", () -> {
            try (DatagramChannel server = DatagramChannel.open();
                    DatagramChannel client = DatagramChannel.open()) {
                server.bind(new InetSocketAddress(LOOPBACK, 0));
                client.connect(server.getLocalAddress());
                client.write(buffer("two"));
                ByteBuffer read = ByteBuffer.allocate(10);
                server.receive(read);
                return text(read);
            }
        });
        checks.check("datagram to a closed port", () -> {
            int port;
            try (DatagramChannel gone = DatagramChannel.open()) {
                gone.bind(new InetSocketAddress(LOOPBACK, 0));
                port = ((InetSocketAddress) gone.getLocalAddress()).getPort();
            }
            try (DatagramChannel client = DatagramChannel.open()) {
                client.connect(new InetSocketAddress(LOOPBACK, port));
                client.write(buffer("x"));
                return client.read(ByteBuffer.allocate(1));
            }
        });
        checks.check("datagram too large", () -> {
            try (DatagramChannel client = DatagramChannel.open()) {
                return client.send(ByteBuffer.allocate(70_000), new InetSocketAddress(LOOPBACK, 9));
            }
        });
    }

    private void asynchronous() {
        checks.check("asynchronous sockets", () -> {
            try (AsynchronousServerSocketChannel server = AsynchronousServerSocketChannel.open();
                    AsynchronousSocketChannel client = AsynchronousSocketChannel.open()) {
                server.bind(new InetSocketAddress(LOOPBACK, 0));
                var accepting = server.accept();
                client.connect(server.getLocalAddress()).get(10, TimeUnit.MINUTES);
                try (AsynchronousSocketChannel accepted = accepting.get(10, TimeUnit.MINUTES)) {
                    ByteBuffer read = ByteBuffer.allocate(10);
                    var reading = accepted.read(read);
                    int written = client.write(buffer("later")).get(10, TimeUnit.MINUTES);
                    return written + " " + reading.get(10, TimeUnit.MINUTES) + " " + text(read);
                }
            }
        });
    }
}
