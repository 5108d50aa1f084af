package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.boot.NetworkSetting;
import java.util.ArrayList;
import java.util.List;

/** The options of QEMU's user network that make it fit to a guest: nothing for one that asks by DHCP. */
final class UserNetwork {

    private final int guest;
    private final int prefix;
    private final List<Integer> taken = new ArrayList<>();

    private UserNetwork(String address, int prefix) {
        this.guest = number(address);
        this.prefix = prefix;
        taken.add(guest);
    }

    /** The options, each behind a comma. */
    static String options(NetworkSetting network) {
        String[] words = network.text().split(" ");
        if (!words[0].equals("static")) {
            return "";
        }
        String[] address = words[1].split("/");
        int gateway = List.of(words).indexOf("gateway");
        return new UserNetwork(address[0], Integer.parseInt(address[1])).options(gateway < 0 ? null : words[gateway + 1]);
    }

    /** QEMU takes two addresses of the network for itself; the guest's must be neither. */
    private String options(String gateway) {
        String host = gateway != null ? gateway : text(free());
        taken.add(number(host));
        String options = ",net=" + text(guest) + "/" + prefix + ",host=" + host;
        return prefix == 30 ? options : options + ",dns=" + text(free());
    }

    private int free() {
        int address = (guest & -1 << (32 - prefix)) + 1;
        while (taken.contains(address)) {
            address++;
        }
        return address;
    }

    private static int number(String address) {
        int number = 0;
        for (String part : address.split("\\.")) {
            number = number << 8 | Integer.parseInt(part);
        }
        return number;
    }

    private static String text(int address) {
        return (address >>> 24) + "." + (address >>> 16 & 255) + "." + (address >>> 8 & 255) + "." + (address & 255);
    }
}
