// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app.conformance;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.MulticastSocket;
import java.net.NetworkInterface;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.MembershipKey;
import java.nio.charset.StandardCharsets;

/** Groups on the loopback interface: members, interfaces, sources. */
final class MulticastChecks implements Conformance.Area {

    private static final int PATIENCE_MILLIS = 600_000;
    /** For what never comes: a datagram on loopback is there when it has been sent. */
    private static final int NOTHING_MILLIS = 20;

    private Conformance checks;
    private InetAddress group;
    private InetAddress one;
    private InetAddress other;
    private NetworkInterface loopback;

    @Override
    public void run(Conformance conformance) throws IOException {
        checks = conformance;
        group = InetAddress.getByName("239.77.1.2");
        one = InetAddress.getByName("127.0.0.1");
        other = InetAddress.getByName("127.0.0.2");
        loopback = NetworkInterface.getByInetAddress(one);
        members();
        errors();
        sources();
        ofIpv6();
    }

    private interface Members {
        Object use(MulticastSocket first, MulticastSocket second, MulticastSocket sender) throws IOException;
    }

    /** Two sockets on one port, and one that sends over the loopback interface. */
    private Object with(Members members) throws IOException {
        try (MulticastSocket first = new MulticastSocket(0);
                MulticastSocket second = new MulticastSocket(first.getLocalPort());
                MulticastSocket sender = new MulticastSocket(0)) {
            sender.setNetworkInterface(loopback);
            return members.use(first, second, sender);
        }
    }

    private void join(MulticastSocket socket) throws IOException {
        socket.joinGroup(new InetSocketAddress(group, 0), loopback);
    }

    private void leave(MulticastSocket socket) throws IOException {
        socket.leaveGroup(new InetSocketAddress(group, 0), loopback);
    }

    private void send(MulticastSocket sender, String text, int port) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        sender.send(new DatagramPacket(bytes, bytes.length, group, port));
    }

    private static String receive(MulticastSocket socket, int millis) throws IOException {
        DatagramPacket packet = new DatagramPacket(new byte[100], 100);
        socket.setSoTimeout(millis);
        try {
            socket.receive(packet);
        } catch (SocketTimeoutException e) {
            return "nothing";
        }
        return new String(packet.getData(), 0, packet.getLength(), StandardCharsets.UTF_8);
    }

    private void members() {
        checks.check(
                "two members",
                () -> with((first, second, sender) -> {
                    join(first);
                    join(second);
                    send(sender, "both", first.getLocalPort());
                    return receive(first, PATIENCE_MILLIS) + " " + receive(second, PATIENCE_MILLIS);
                }));
        checks.check(
                "one of two leaves",
                () -> with((first, second, sender) -> {
                    join(first);
                    join(second);
                    leave(second);
                    send(sender, "one", first.getLocalPort());
                    return receive(first, PATIENCE_MILLIS) + " " + receive(second, NOTHING_MILLIS);
                }));
        checks.check(
                "no member",
                () -> with((first, second, sender) -> {
                    send(sender, "none", first.getLocalPort());
                    return receive(first, NOTHING_MILLIS);
                }));
        checks.check(
                "not for this machine",
                () -> with((first, second, sender) -> {
                    join(first);
                    sender.setOption(StandardSocketOptions.IP_MULTICAST_LOOP, false);
                    send(sender, "none", first.getLocalPort());
                    return receive(first, NOTHING_MILLIS);
                }));
        checks.check(
                "sender is a member",
                () -> with((first, second, sender) -> {
                    join(sender);
                    send(sender, "own", sender.getLocalPort());
                    return receive(sender, PATIENCE_MILLIS);
                }));
        checks.check(
                "interface",
                () -> with(
                        (first, second, sender) -> sender.getNetworkInterface().getName()));
        checks.check(
                "time to live",
                () -> with((first, second, sender) -> {
                    int before = sender.getTimeToLive();
                    sender.setTimeToLive(0);
                    join(first);
                    send(sender, "here", first.getLocalPort());
                    return before + " " + sender.getTimeToLive() + " " + receive(first, PATIENCE_MILLIS);
                }));
    }

    private void errors() {
        checks.check(
                "join twice",
                () -> with((first, second, sender) -> {
                    join(first);
                    join(first);
                    return "joined";
                }));
        checks.check(
                "leave without a join",
                () -> with((first, second, sender) -> {
                    leave(first);
                    return "left";
                }));
        checks.check(
                "no group",
                () -> with((first, second, sender) -> {
                    first.joinGroup(new InetSocketAddress(one, 0), loopback);
                    return "joined";
                }));
    }

    private interface Member {
        Object use(DatagramChannel channel) throws IOException;
    }

    private Object withChannel(Member member) throws IOException {
        try (DatagramChannel channel = DatagramChannel.open(StandardProtocolFamily.INET)) {
            channel.bind(new InetSocketAddress(0)).configureBlocking(false);
            return member.use(channel);
        }
    }

    /** Which of two sources the channel hears, each of which sends a datagram. */
    private String heard(DatagramChannel channel) throws IOException {
        int port = ((InetSocketAddress) channel.getLocalAddress()).getPort();
        StringBuilder heard = new StringBuilder();
        for (InetAddress source : new InetAddress[] {one, other}) {
            try (DatagramChannel sender = DatagramChannel.open(StandardProtocolFamily.INET)) {
                sender.bind(new InetSocketAddress(source, 0))
                        .setOption(StandardSocketOptions.IP_MULTICAST_IF, loopback)
                        .send(ByteBuffer.allocate(10), new InetSocketAddress(group, port));
            }
            InetSocketAddress from = (InetSocketAddress) channel.receive(ByteBuffer.allocate(100));
            heard.append(from == null ? "- " : from.getAddress().getHostAddress() + " ");
        }
        return heard.toString();
    }

    private void sources() {
        checks.check(
                "every source",
                () -> withChannel(channel -> {
                    channel.join(group, loopback);
                    return heard(channel);
                }));
        checks.check(
                "one source",
                () -> withChannel(channel -> {
                    MembershipKey key = channel.join(group, loopback, other);
                    return heard(channel) + key.sourceAddress();
                }));
        checks.check(
                "two sources",
                () -> withChannel(channel -> {
                    channel.join(group, loopback, one).drop();
                    MembershipKey key = channel.join(group, loopback, one);
                    channel.join(group, loopback, other);
                    String both = heard(channel);
                    key.drop();
                    return both + heard(channel) + key.isValid();
                }));
        checks.check(
                "a source is blocked",
                () -> withChannel(channel -> {
                    MembershipKey key = channel.join(group, loopback);
                    key.block(one);
                    String blocked = heard(channel);
                    key.unblock(one);
                    return blocked + heard(channel);
                }));
        checks.check(
                "a source is unblocked that is not blocked",
                () -> withChannel(channel -> channel.join(group, loopback).unblock(one)));
        checks.check(
                "every source after one",
                () -> withChannel(channel -> {
                    channel.join(group, loopback, one);
                    return channel.join(group, loopback);
                }));
    }

    /** Groups of IPv6, which loopback does not carry: only who may join what. */
    private void ofIpv6() throws IOException {
        InetAddress six = InetAddress.getByName("ff15::7701");
        InetAddress first = InetAddress.getByName("2001:db8::1");
        InetAddress second = InetAddress.getByName("2001:db8::2");
        checks.check(
                "IPv6, join and leave",
                () -> withChannelOfIpv6(channel -> {
                    MembershipKey key = channel.join(six, loopback);
                    key.drop();
                    return key.isValid() + " " + channel.join(six, loopback).isValid();
                }));
        checks.check(
                "IPv6, join twice with a socket",
                () -> with((one, two, sender) -> {
                    one.joinGroup(new InetSocketAddress(six, 0), loopback);
                    one.joinGroup(new InetSocketAddress(six, 0), loopback);
                    return "joined";
                }));
        checks.check(
                "IPv6, leave without a join",
                () -> with((one, two, sender) -> {
                    one.leaveGroup(new InetSocketAddress(six, 0), loopback);
                    return "left";
                }));
        checks.check("IPv6, no group", () -> withChannelOfIpv6(channel -> channel.join(first, loopback)));
        checks.check(
                "IPv6, sources",
                () -> withChannelOfIpv6(channel -> {
                    MembershipKey key = channel.join(six, loopback, first);
                    MembershipKey other = channel.join(six, loopback, second);
                    key.drop();
                    return key.isValid() + " " + other.isValid() + " " + other.sourceAddress();
                }));
        checks.check(
                "IPv6, a source is blocked",
                () -> withChannelOfIpv6(channel -> {
                    MembershipKey key = channel.join(six, loopback);
                    key.block(first).block(second).unblock(first);
                    return key.isValid();
                }));
        checks.check(
                "IPv6, a source is unblocked that is not blocked",
                () -> withChannelOfIpv6(channel -> channel.join(six, loopback).unblock(first)));
        checks.check(
                "IPv6, every source after one",
                () -> withChannelOfIpv6(channel -> {
                    channel.join(six, loopback, first);
                    return channel.join(six, loopback);
                }));
        checks.check(
                "IPv6, hops and loop",
                () -> withChannelOfIpv6(channel -> {
                    channel.setOption(StandardSocketOptions.IP_MULTICAST_TTL, 7)
                            .setOption(StandardSocketOptions.IP_MULTICAST_LOOP, false)
                            .setOption(StandardSocketOptions.IP_MULTICAST_IF, loopback);
                    return channel.getOption(StandardSocketOptions.IP_MULTICAST_TTL)
                            + " "
                            + channel.getOption(StandardSocketOptions.IP_MULTICAST_LOOP)
                            + " "
                            + channel.getOption(StandardSocketOptions.IP_MULTICAST_IF)
                                    .getName();
                }));
        checks.check(
                "IPv4 over a channel of IPv6",
                () -> withChannelOfIpv6(channel -> {
                    channel.join(group, loopback);
                    return heard(channel);
                }));
    }

    private Object withChannelOfIpv6(Member member) throws IOException {
        try (DatagramChannel channel = DatagramChannel.open(StandardProtocolFamily.INET6)) {
            channel.bind(new InetSocketAddress(0)).configureBlocking(false);
            return member.use(channel);
        }
    }
}
