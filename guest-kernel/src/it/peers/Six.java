// SPDX-License-Identifier: Apache-2.0
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.MulticastSocket;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;

/**
 * Java's sockets where there is IPv6: each check prints {@code ok six.java_NAME} or {@code not ok six.java_NAME}. Then
 * it serves the command {@code send N} of six.h on the wildcard address.
 */
public final class Six {
    private static final int PORT = 8080;

    private Six() {}

    private interface Check {
        boolean run() throws IOException;
    }

    private static void check(String name, Check check) {
        String problem = "";
        boolean good = false;
        try {
            good = check.run();
        } catch (IOException | RuntimeException e) {
            problem = ": " + e;
        }
        System.out.println((good ? "ok six.java_" : "not ok six.java_") + name + problem);
    }

    private static InetAddress address(String text) throws IOException {
        return InetAddress.getByName(text);
    }

    private static boolean interfaceHasBoth() throws IOException {
        NetworkInterface loopback = NetworkInterface.getByName("lo");
        return loopback.inetAddresses().anyMatch(a -> a instanceof Inet6Address && a.isLoopbackAddress())
                && loopback.inetAddresses().anyMatch(a -> a.getHostAddress().equals("127.0.0.1"))
                && NetworkInterface.getByName("eth0").inetAddresses().anyMatch(InetAddress::isLinkLocalAddress);
    }

    private static boolean streams(String to) throws IOException {
        try (ServerSocket server = new ServerSocket(0);
                Socket client = new Socket(address(to), server.getLocalPort());
                Socket accepted = server.accept()) {
            client.getOutputStream().write(6);
            return accepted.getInetAddress().equals(address(to))
                    && accepted.getInputStream().read() == 6;
        }
    }

    private static boolean channels(String to) throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open().bind(null)) {
            int port = ((InetSocketAddress) server.getLocalAddress()).getPort();
            try (SocketChannel client = SocketChannel.open(new InetSocketAddress(address(to), port));
                    SocketChannel accepted = server.accept()) {
                client.setOption(StandardSocketOptions.IP_TOS, 0x10);
                client.setOption(StandardSocketOptions.TCP_NODELAY, true);
                client.write(ByteBuffer.wrap(new byte[] {6}));
                return accepted.read(ByteBuffer.allocate(2)) == 1
                        && ((InetSocketAddress) accepted.getRemoteAddress())
                                .getAddress()
                                .equals(address(to));
            }
        }
    }

    private static boolean datagrams(String to) throws IOException {
        try (DatagramChannel server = DatagramChannel.open().bind(null);
                DatagramChannel client = DatagramChannel.open()) {
            int port = ((InetSocketAddress) server.getLocalAddress()).getPort();
            client.send(ByteBuffer.wrap(new byte[] {6}), new InetSocketAddress(address(to), port));
            InetSocketAddress from = (InetSocketAddress) server.receive(ByteBuffer.allocate(2));
            return from.getAddress().equals(address(to));
        }
    }

    private static boolean sockets(String to) throws IOException {
        try (DatagramSocket server = new DatagramSocket(0);
                DatagramSocket client = new DatagramSocket()) {
            client.connect(address(to), server.getLocalPort());
            client.send(new DatagramPacket(new byte[] {6}, 1));
            DatagramPacket packet = new DatagramPacket(new byte[2], 2);
            server.receive(packet);
            return packet.getLength() == 1 && packet.getAddress().equals(address(to));
        }
    }

    private static boolean group() throws IOException {
        InetAddress group = address("239.6.6.6");
        try (MulticastSocket socket = new MulticastSocket(0)) {
            NetworkInterface eth0 = NetworkInterface.getByName("eth0");
            socket.setNetworkInterface(eth0);
            socket.joinGroup(new InetSocketAddress(group, 0), eth0);
            socket.send(new DatagramPacket(new byte[] {6}, 1, group, socket.getLocalPort()));
            DatagramPacket packet = new DatagramPacket(new byte[2], 2);
            socket.receive(packet);
            return packet.getLength() == 1;
        }
    }

    private static void serve(Socket socket) throws IOException {
        BufferedReader reader = new BufferedReader(new InputStreamReader(socket.getInputStream()));
        byte[] bytes = new byte[Integer.parseInt(reader.readLine().substring("send ".length()))];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 31 + (i >> 8) + (i >> 16));
        }
        socket.getOutputStream().write(bytes);
    }

    /** Ends with the machine. */
    public static void main(String[] arguments) throws IOException {
        check("interfaces", Six::interfaceHasBoth);
        for (String to : new String[] {"::1", "127.0.0.1"}) {
            String family = to.equals("::1") ? "6" : "4";
            check("streams_" + family, () -> streams(to));
            check("channels_" + family, () -> channels(to));
            check("datagrams_" + family, () -> datagrams(to));
            check("sockets_" + family, () -> sockets(to));
        }
        check("group_4", Six::group);
        try (ServerSocket server = new ServerSocket(PORT)) {
            System.out.println("serving");
            while (true) {
                try (Socket socket = server.accept()) {
                    serve(socket);
                }
            }
        }
    }
}
