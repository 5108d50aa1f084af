// SPDX-License-Identifier: Apache-2.0
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jgroups.JChannel;
import org.jgroups.Message;
import org.jgroups.ObjectMessage;
import org.jgroups.Receiver;
import org.jgroups.View;
import org.jgroups.protocols.FRAG4;
import org.jgroups.protocols.PING;
import org.jgroups.protocols.UDP;
import org.jgroups.protocols.UNICAST3;
import org.jgroups.protocols.pbcast.GMS;
import org.jgroups.protocols.pbcast.NAKACK2;
import org.jgroups.protocols.pbcast.STABLE;

/**
 * A member of a cluster of JGroups whose members find each other by multicast: {@code Members NAME INTERFACE COUNT
 * 4|6}. Prints {@code member NAME sees COUNT} when all are there, {@code member NAME has hello of OTHER} for the first
 * message of each other one, and {@code serving} when it has one of all. It stays until it is ended, and says hello
 * every second, since a member may join after a message.
 */
public final class Members {
    private Members() {}

    private static InetAddress own(String name, boolean six) throws Exception {
        while (true) {
            var found = NetworkInterface.getByName(name)
                    .inetAddresses()
                    .filter(a -> six == (a instanceof Inet6Address) && (!six || a.isLinkLocalAddress()))
                    .findFirst();
            if (found.isPresent()) {
                return found.get();
            }
            Thread.sleep(100); // there is no event for an address that comes
        }
    }

    public static void main(String[] arguments) throws Exception {
        String name = arguments[0];
        int count = Integer.parseInt(arguments[2]);
        boolean six = arguments[3].equals("6");
        UDP transport = new UDP();
        transport.setMulticastAddress(InetAddress.getByName(six ? "ff02::7701%" + arguments[1] : "239.77.1.9"));
        transport.setMulticastPort(45588);
        transport.setBindAddress(own(arguments[1], six));
        JChannel channel = new JChannel(
                transport, new PING(), new NAKACK2(), new UNICAST3(), new STABLE(), new GMS(), new FRAG4());
        Set<Object> others = ConcurrentHashMap.newKeySet();
        CountDownLatch all = new CountDownLatch(count - 1);
        channel.setName(name);
        channel.setReceiver(new Receiver() {
            @Override
            public void viewAccepted(View view) {
                if (view.size() == count) {
                    System.out.println("member " + name + " sees " + view.size());
                }
            }

            @Override
            public void receive(Message message) {
                if (!message.getSrc().equals(channel.getAddress()) && others.add(message.getSrc())) {
                    System.out.println("member " + name + " has " + message.getObject());
                    all.countDown();
                }
            }
        });
        channel.connect("unikernel");
        for (boolean done = false; ; ) {
            if (channel.getView().size() == count) {
                channel.send(new ObjectMessage(null, "hello of " + name));
            }
            if (done) {
                Thread.sleep(1000);
            } else if (all.await(1, TimeUnit.SECONDS)) {
                System.out.println("serving"); // what the runner waits for
                done = true;
            }
        }
    }
}
