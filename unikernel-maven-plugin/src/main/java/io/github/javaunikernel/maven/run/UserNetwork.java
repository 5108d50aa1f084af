// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.boot.Ipv4Address;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import java.util.ArrayList;
import java.util.List;

/** The options of QEMU's user network that a guest needs: none for a guest that uses DHCP. */
final class UserNetwork {

    private final NetworkSetting.Fixed guest;
    private final List<Ipv4Address> taken = new ArrayList<>();

    private UserNetwork(NetworkSetting.Fixed guest) {
        this.guest = guest;
        taken.add(guest.address());
    }

    /** The options, each after a comma. */
    static String options(NetworkSetting network) {
        return network.fixed().map(fixed -> new UserNetwork(fixed).options()).orElse("");
    }

    /** QEMU takes two addresses of the network for itself; the guest's must be neither. */
    private String options() {
        Ipv4Address host = guest.gateway().orElseGet(this::free);
        taken.add(host);
        String options = ",net=" + guest.address() + "/" + guest.prefix() + ",host=" + host;
        return guest.prefix() == 30 ? options : options + ",dns=" + free();
    }

    private Ipv4Address free() {
        Ipv4Address address = guest.address().network(guest.prefix()).next();
        while (taken.contains(address)) {
            address = address.next();
        }
        return address;
    }
}
