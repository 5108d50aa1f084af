// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/**
 * A port of the guest and the one of 127.0.0.1 that leads to it.
 *
 * @param host 0 for a free one
 */
public record PortForward(int host, int guest) {

    private static final int LAST = 65535;

    /**
     * Pairs ports.
     *
     * @param hostPorts in the order of {@code ports}; those missing at the end follow {@code sameByDefault}
     * @param sameByDefault whether a missing host port is the guest's number, or else a free one
     */
    public static List<PortForward> pair(List<Integer> ports, List<Integer> hostPorts, boolean sameByDefault)
            throws SettingException {
        if (hostPorts.size() > ports.size()) {
            throw new SettingException(
                    "hostPorts",
                    hostPorts.size() + " host ports are given for " + ports.size() + " of the guest.",
                    "Name the guest's ports in the same order with -Dunikernel.ports.");
        }
        if (new HashSet<>(ports).size() < ports.size()) {
            throw new SettingException("ports", "A port is named twice.", "Name each once.");
        }
        List<PortForward> pairs = new ArrayList<>();
        for (int i = 0; i < ports.size(); i++) {
            int guest = checked("ports", ports.get(i), 1);
            int host = i < hostPorts.size() ? hostPorts.get(i) : sameByDefault ? guest : 0;
            pairs.add(new PortForward(checked("hostPorts", host, 0), guest));
        }
        return pairs;
    }

    /** Where a browser of this machine finds the program. */
    public String url() {
        return "http://localhost:" + host + "/";
    }

    /** Checks one port. */
    static int checked(String parameter, int port, int least) throws SettingException {
        if (port < least || port > LAST) {
            throw new SettingException(parameter, port + " is not a port.", "Give " + least + " to " + LAST + ".");
        }
        return port;
    }
}
