// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;

/** What a guest's {@code /proc/net/tcp} and {@code tcp6} (proc(5)) say, as ss(8) prints it. */
final class Connections {

    /** By the numbers of include/net/tcp_states.h in Linux, from 1 on. */
    private static final List<String> STATES = List.of(
            "ESTABLISHED",
            "SYN-SENT",
            "SYN-RECEIVED",
            "FIN-WAIT-1",
            "FIN-WAIT-2",
            "TIME-WAIT",
            "CLOSED",
            "CLOSE-WAIT",
            "LAST-ACK",
            "LISTEN",
            "CLOSING",
            "SYN-RECEIVED");

    private static final String FORM = "%-12s %9s %9s %-47s %s%n".replace("%n", "\n");

    private record Connection(String state, long received, long sent, String local, String peer) {}

    private Connections() {}

    /**
     * A line for each connection, those with the longest queues first.
     *
     * @param listings of both families, with their headings
     */
    static String table(List<String> listings) throws IOException {
        List<Connection> connections = new ArrayList<>();
        for (String listing : listings) {
            for (String line : listing.lines().skip(1).toList()) {
                connections.add(parse(line));
            }
        }
        connections.sort(Comparator.comparingLong((Connection c) -> c.sent() + c.received())
                .reversed()
                .thenComparing(Connection::local)
                .thenComparing(Connection::peer));
        StringBuilder table = new StringBuilder(FORM.formatted("State", "Recv-Q", "Send-Q", "Local", "Peer"));
        connections.forEach(c -> table.append(FORM.formatted(c.state(), c.received(), c.sent(), c.local(), c.peer())));
        return table.toString();
    }

    private static Connection parse(String line) throws IOException {
        try {
            String[] words = line.strip().split(" +");
            String[] queues = words[4].split(":");
            return new Connection(
                    STATES.get(Integer.parseInt(words[3], 16) - 1),
                    Long.parseLong(queues[1], 16),
                    Long.parseLong(queues[0], 16),
                    endpoint(words[1]),
                    endpoint(words[2]));
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new ExplainedException(
                    "The guest's list of connections has a line that cannot be read: " + line
                            + ". Build the image with this version of the plugin.",
                    e);
        }
    }

    /** The address is in words of 32 bits, whose bytes are in the order of the processor. */
    private static String endpoint(String text) throws IOException {
        String[] parts = text.split(":");
        ByteBuffer words = ByteBuffer.wrap(HexFormat.of().parseHex(parts[0]));
        ByteBuffer address = ByteBuffer.allocate(words.capacity()).order(ByteOrder.LITTLE_ENDIAN);
        while (words.hasRemaining()) {
            address.putInt(words.getInt());
        }
        String host = InetAddress.getByAddress(address.array()).getHostAddress();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + Integer.parseInt(parts[1], 16);
    }
}
