// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.List;
import java.util.Optional;

/**
 * How the guest gets its address, as the value of the directive {@code network}.
 *
 * @param text {@code dhcp}, {@code none}, or {@code static ADDRESS/PREFIX [gateway A] [dns A,A] [mtu N]}
 * @param fixed the address in {@code text}; empty when it has none
 */
public record NetworkSetting(String text, Optional<Fixed> fixed) {

    /**
     * An address that is the same at each start.
     *
     * @param prefix length of the network's prefix, 1 to 30
     */
    public record Fixed(Ipv4Address address, int prefix, Optional<Ipv4Address> gateway) {}

    private static final String FORM =
            "Use 'dhcp', 'none' or 'static 10.0.0.2/24 gateway 10.0.0.1 dns 10.0.0.1,10.0.0.3 mtu 1500'.";
    /**
     * What every host can receive (RFC 791), the least the kernel takes; a Xen network device carries 65535 at most.
     */
    private static final int MIN_MTU = 576;

    private static final int MAX_MTU = 65535;
    /** The kernel's limit (guest-kernel, net/net.h: NET_MAX_DNS), as in resolv.conf(5). */
    private static final int MAX_DNS = 3;

    /** Reads and checks the setting. */
    public static NetworkSetting parse(String setting) throws SettingException {
        String[] words = setting.strip().split("\\s+");
        Optional<Fixed> fixed = Optional.empty();
        switch (words[0]) {
            case "dhcp", "none" -> expect(words.length == 1, setting, "there is more after '" + words[0] + "'");
            case "static" -> fixed = Optional.of(parseFixed(setting, words));
            default -> throw invalid(setting, "'" + words[0] + "' is not a way to get an address");
        }
        return new NetworkSetting(String.join(" ", words), fixed);
    }

    /** Whether the guest has a network device. */
    public boolean isPresent() {
        return !text.equals("none");
    }

    private static Fixed parseFixed(String setting, String[] words) throws SettingException {
        expect(words.length >= 2, setting, "the address is missing");
        String[] parts = words[1].split("/", -1);
        expect(parts.length == 2, setting, "'" + words[1] + "' is not an address with a prefix length");
        Ipv4Address address = address(setting, parts[0]);
        int prefix = number(setting, parts[1], 1, 30);
        checkHost(setting, "address", address, prefix);
        expect(words.length % 2 == 0, setting, "'" + words[words.length - 1] + "' has no value");
        for (int i = 2; i < words.length; i += 2) {
            expect(List.of(words).indexOf(words[i]) == i, setting, "'" + words[i] + "' is there twice");
            checkOption(setting, words[i], words[i + 1], address, prefix);
        }
        int gateway = List.of(words).indexOf("gateway");
        return new Fixed(address, prefix, gateway < 0 ? Optional.empty() : Ipv4Address.parse(words[gateway + 1]));
    }

    private static void checkOption(String setting, String name, String value, Ipv4Address address, int prefix)
            throws SettingException {
        switch (name) {
            case "gateway" -> {
                Ipv4Address gateway = address(setting, value);
                expect(
                        gateway.network(prefix).equals(address.network(prefix)),
                        setting,
                        "the gateway " + value + " is not in the network of the address");
                expect(!gateway.equals(address), setting, "the gateway has the address of the guest");
                checkHost(setting, "gateway", gateway, prefix);
            }
            case "dns" -> {
                List<String> servers = List.of(value.split(",", -1));
                expect(servers.size() <= MAX_DNS, setting, "it names more than " + MAX_DNS + " name servers");
                for (String server : servers) {
                    address(setting, server);
                }
            }
            case "mtu" -> number(setting, value, MIN_MTU, MAX_MTU);
            default -> throw invalid(setting, "'" + name + "' is not known");
        }
    }

    /** RFC 1122, 3.2.1.3: what stands for a network, for all its hosts, for this host or for a group is no host's. */
    private static void checkHost(String setting, String name, Ipv4Address address, int prefix)
            throws SettingException {
        int first = address.bits() >>> 24;
        expect(
                first != 0 && first != 127 && first < 224,
                setting,
                "the " + name + " " + address + " cannot be that of a host in a network");
        expect(
                !address.equals(address.network(prefix)),
                setting,
                "the " + name + " " + address + " is that of the network itself");
        expect(
                !address.equals(address.broadcast(prefix)),
                setting,
                "the " + name + " " + address + " is the one for broadcasts in its network");
    }

    private static Ipv4Address address(String setting, String text) throws SettingException {
        return Ipv4Address.parse(text).orElseThrow(() -> invalid(setting, "'" + text + "' is not an IPv4 address"));
    }

    private static int number(String setting, String text, int min, int max) throws SettingException {
        boolean fits = text.matches("\\d{1,6}") && Integer.parseInt(text) >= min && Integer.parseInt(text) <= max;
        expect(fits, setting, "'" + text + "' is not a number from " + min + " to " + max);
        return Integer.parseInt(text);
    }

    private static void expect(boolean condition, String setting, String problem) throws SettingException {
        if (!condition) {
            throw invalid(setting, problem);
        }
    }

    private static SettingException invalid(String setting, String problem) {
        return new SettingException("network", "The network '" + setting + "' is not valid: " + problem + ".", FORM);
    }
}
