// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app.conformance;

import java.io.InputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.nio.channels.DatagramChannel;
import java.nio.channels.NetworkChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** java.net: addresses, names, sockets that block, their options and their ends. */
final class SocketChecks implements Conformance.Area {

    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    private Conformance checks;

    @Override
    public void run(Conformance all) throws Exception {
        checks = all;
        names();
        interfaces();
        options();
        listening();
        ends();
        datagrams();
    }

    private void names() {
        for (String name : List.of(
                "localhost",
                "127.0.0.1",
                "127.1",
                "0x7f.1",
                "255.255.255.255",
                "256.1.1.1",
                "1.2.3",
                "::1",
                "[::1]",
                "a..b",
                "no-such-host.invalid",
                "")) {
            checks.check("name '" + name + "'", () -> {
                try {
                    return InetAddress.getByName(name) instanceof Inet4Address found ? found.getHostAddress() : "other";
                } catch (java.net.UnknownHostException e) {
                    return "unknown";
                }
            });
        }
        checks.check(
                "own address is no placeholder",
                () -> InetAddress.getLocalHost().isAnyLocalAddress());
        checks.check(
                "reverse name of the loopback",
                () -> InetAddress.getByAddress(new byte[] {127, 0, 0, 1}).getHostName());
        checks.check("reachable", () -> LOOPBACK.isReachable(60_000));
    }

    private void interfaces() {
        checks.check("loopback interface", () -> {
            NetworkInterface lo = NetworkInterface.getByInetAddress(LOOPBACK);
            return lo.getName() + " " + lo.getIndex() + " " + lo.isUp() + " " + lo.isPointToPoint() + " "
                    + lo.isVirtual() + " "
                    + lo.supportsMulticast() + " "
                    + lo.getInterfaceAddresses().stream()
                            .filter(address -> address.getAddress() instanceof Inet4Address)
                            .map(address ->
                                    address.getAddress().getHostAddress() + "/" + address.getNetworkPrefixLength())
                            .toList();
        });
        checks.check(
                "absent interface",
                () -> NetworkInterface.getByName("absent0") + " " + NetworkInterface.getByIndex(9999));
    }

    private interface Opened {
        NetworkChannel open() throws Exception;
    }

    private void options() {
        List<Opened> kinds = List.of(SocketChannel::open, ServerSocketChannel::open, DatagramChannel::open);
        for (Opened kind : kinds) {
            String name;
            List<SocketOption<?>> supported;
            try (NetworkChannel channel = kind.open()) {
                name = channel.getClass().getSimpleName();
                supported = channel.supportedOptions().stream()
                        .sorted(Comparator.comparing(SocketOption::name))
                        .toList();
            } catch (Exception e) {
                checks.check("open", () -> {
                    throw e;
                });
                continue;
            }
            for (SocketOption<?> option : supported) {
                option(kind, name, option);
            }
        }
    }

    private <T> void option(Opened kind, String name, SocketOption<T> option) {
        boolean buffer = option == StandardSocketOptions.SO_SNDBUF || option == StandardSocketOptions.SO_RCVBUF;
        checks.check("default of " + option + " on " + name, () -> {
            try (NetworkChannel channel = kind.open()) {
                Object value = channel.getOption(option);
                return buffer ? (Integer) value > 0 : value;
            }
        });
        List<Object> values = new ArrayList<>();
        if (option.type() == Boolean.class) {
            values.addAll(List.of(true, false));
        } else if (option.type() == Integer.class) {
            values.addAll(buffer ? List.of(4096, 65536) : List.of(-1, 0, 1, 5, 100, 100_000));
        }
        for (Object value : values) {
            checks.check(option + " = " + value + " on " + name, () -> {
                try (NetworkChannel channel = kind.open()) {
                    channel.setOption(option, option.type().cast(value));
                    Object got = channel.getOption(option);
                    return buffer ? (Integer) got >= (Integer) value : got;
                }
            });
        }
    }

    private void listening() {
        checks.check("port in use", () -> {
            try (ServerSocket first = new ServerSocket(0, 1, LOOPBACK);
                    ServerSocket second = new ServerSocket()) {
                second.bind(new InetSocketAddress(LOOPBACK, first.getLocalPort()));
                return "bound";
            }
        });
        checks.check("address of another machine", () -> {
            try (ServerSocket server = new ServerSocket()) {
                server.bind(new InetSocketAddress("192.0.2.1", 0));
                return "bound";
            }
        });
        checks.check("accept without a client", () -> {
            try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
                server.setSoTimeout(20);
                return server.accept();
            }
        });
        checks.check("accept that is closed", () -> {
            ServerSocket server = new ServerSocket(0, 1, LOOPBACK);
            Thread closer = new Thread(() -> {
                try {
                    server.close();
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            closer.start();
            try {
                return server.accept();
            } catch (java.net.SocketException e) {
                return "closed";
            } finally {
                closer.join();
            }
        });
        checks.check("port bound again after a connection", () -> {
            int port;
            try (ServerSocket server = new ServerSocket(0, 5, LOOPBACK)) {
                port = server.getLocalPort();
                new Socket(LOOPBACK, port).close();
                server.accept().close();
            }
            try (ServerSocket again = new ServerSocket(port, 5, LOOPBACK)) {
                return again.isBound();
            }
        });
        for (int port : new int[] {-1, 65536}) {
            checks.check("port " + port, () -> new InetSocketAddress(LOOPBACK, port));
        }
    }

    private interface Pair {
        Object use(Socket client, Socket server) throws Exception;
    }

    private static Object pair(Pair pair) throws Exception {
        try (ServerSocket listener = new ServerSocket(0, 5, LOOPBACK);
                Socket client = new Socket(LOOPBACK, listener.getLocalPort());
                Socket server = listener.accept()) {
            return pair.use(client, server);
        }
    }

    private void ends() {
        checks.check("refused", () -> {
            int port;
            try (ServerSocket gone = new ServerSocket(0, 1, LOOPBACK)) {
                port = gone.getLocalPort();
            }
            return new Socket(LOOPBACK, port);
        });
        checks.check(
                "nothing comes in time",
                () -> pair((client, server) -> {
                    client.setSoTimeout(20);
                    return client.getInputStream().read();
                }));
        checks.check(
                "half closed",
                () -> pair((client, server) -> {
                    client.getOutputStream().write(1);
                    client.shutdownOutput();
                    InputStream in = server.getInputStream();
                    String got = in.read() + " " + in.read();
                    server.getOutputStream().write(2);
                    return got + " " + client.getInputStream().read() + " " + client.isOutputShutdown() + " "
                            + server.isInputShutdown();
                }));
        checks.check(
                "closed in good order",
                () -> pair((client, server) -> {
                    server.getOutputStream().write(new byte[3]);
                    server.close();
                    InputStream in = client.getInputStream();
                    return in.readNBytes(10).length + " " + in.read();
                }));
        checks.check(
                "reset by linger 0",
                () -> pair((client, server) -> {
                    server.setSoLinger(true, 0);
                    server.close();
                    return client.getInputStream().read();
                }));
        checks.check(
                "reset by data that nobody read",
                () -> pair((client, server) -> {
                    client.getOutputStream().write(new byte[10]);
                    server.getInputStream().read();
                    server.close();
                    try {
                        return client.getInputStream().read();
                    } catch (java.net.SocketException e) {
                        return "reset";
                    }
                }));
        checks.check(
                "early answer before the request is whole",
                () -> pair((client, server) -> {
                    client.getOutputStream().write(new byte[10]);
                    server.getOutputStream().write("HTTP/1.1 413 \r\n\r\n".getBytes());
                    server.shutdownOutput();
                    client.getOutputStream().write(new byte[10]);
                    return new String(client.getInputStream().readAllBytes()).trim();
                }));
        checks.check(
                "write to one that is gone",
                () -> pair((client, server) -> {
                    server.setSoLinger(true, 0);
                    server.close();
                    try {
                        client.getInputStream().read();
                    } catch (java.net.SocketException e) {
                        // The reset has come.
                    }
                    client.getOutputStream().write(1);
                    return "written";
                }));
        checks.check(
                "available",
                () -> pair((client, server) -> {
                    client.getOutputStream().write(new byte[7]);
                    server.getInputStream().read();
                    return server.getInputStream().available();
                }));
        checks.check(
                "urgent data in line",
                () -> pair((client, server) -> {
                    server.setOOBInline(true);
                    client.sendUrgentData('u');
                    return (char) server.getInputStream().read() + " " + server.getOOBInline();
                }));
        checks.check(
                "urgent data beside the stream",
                () -> pair((client, server) -> {
                    client.sendUrgentData('u');
                    client.getOutputStream().write('n');
                    return (char) server.getInputStream().read();
                }));
        checks.check(
                "connect twice",
                () -> pair((client, server) -> {
                    client.connect(server.getLocalSocketAddress());
                    return "connected";
                }));
        checks.check(
                "to oneself",
                () -> pair((client, server) -> client.getPort() == server.getLocalPort()
                        && client.getLocalPort() == server.getPort()
                        && client.getInetAddress().equals(server.getLocalAddress())));
        for (String address : List.of("255.255.255.255", "0.0.0.0")) {
            checks.check("connect to " + address + " port 1", () -> {
                try (Socket socket = new Socket()) {
                    socket.connect(new InetSocketAddress(address, 1), 60_000);
                    return "connected";
                }
            });
        }
    }

    private void datagrams() {
        checks.check("broadcast option", () -> {
            try (DatagramSocket socket = new DatagramSocket()) {
                boolean before = socket.getBroadcast();
                socket.setBroadcast(false);
                return before + " " + socket.getBroadcast();
            }
        });
        for (int size : new int[] {0, 1, 1472, 1473, 9000, 65507}) {
            checks.check("datagram of " + size, () -> {
                try (DatagramSocket server = new DatagramSocket(0, LOOPBACK);
                        DatagramSocket client = new DatagramSocket()) {
                    client.send(new DatagramPacket(new byte[size], size, LOOPBACK, server.getLocalPort()));
                    DatagramPacket received = new DatagramPacket(new byte[65535], 65535);
                    server.setSoTimeout(600_000);
                    server.receive(received);
                    return received.getLength();
                }
            });
        }
        checks.check("datagram of 65508", () -> {
            try (DatagramSocket client = new DatagramSocket()) {
                client.send(new DatagramPacket(new byte[65508], 65508, LOOPBACK, 9));
                return "sent";
            }
        });
        checks.check("receive without a sender", () -> {
            try (DatagramSocket socket = new DatagramSocket(0, LOOPBACK)) {
                socket.setSoTimeout(20);
                socket.receive(new DatagramPacket(new byte[1], 1));
                return "received";
            }
        });
        checks.check("only from the one connected to", () -> {
            try (DatagramSocket server = new DatagramSocket(0, LOOPBACK);
                    DatagramSocket friend = new DatagramSocket(0, LOOPBACK);
                    DatagramSocket stranger = new DatagramSocket(0, LOOPBACK)) {
                server.connect(LOOPBACK, friend.getLocalPort());
                stranger.send(new DatagramPacket(new byte[1], 1, LOOPBACK, server.getLocalPort()));
                friend.send(new DatagramPacket(new byte[2], 2, LOOPBACK, server.getLocalPort()));
                DatagramPacket received = new DatagramPacket(new byte[10], 10);
                server.setSoTimeout(600_000);
                server.receive(received);
                return received.getLength();
            }
        });
    }
}
