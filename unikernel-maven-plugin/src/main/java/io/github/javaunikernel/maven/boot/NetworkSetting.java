package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How the guest gets its address, as the value of the directive {@code network}.
 *
 * @param text {@code dhcp}, {@code none}, or {@code static ADDRESS/PREFIX [gateway A] [dns A,A] [mtu N]}
 */
public record NetworkSetting(String text) {

    private static final String FORM =
            "Use 'dhcp', 'none' or 'static 10.0.0.2/24 gateway 10.0.0.1 dns 10.0.0.1,10.0.0.3 mtu 1500'.";
    private static final Pattern BYTE = Pattern.compile("0|[1-9]\\d{0,2}");
    /** What every host can receive (RFC 791), the least the kernel takes; a Xen network device carries 65535 at most. */
    private static final int MIN_MTU = 576;
    private static final int MAX_MTU = 65535;

    /** Reads and checks the setting. */
    public static NetworkSetting parse(String setting) throws SettingException {
        String[] words = setting.strip().split("\\s+");
        switch (words[0]) {
            case "dhcp", "none" -> expect(words.length == 1, setting, "there is more after '" + words[0] + "'");
            case "static" -> checkStatic(setting, words);
            default -> expect(false, setting, "'" + words[0] + "' is not a way to get an address");
        }
        return new NetworkSetting(String.join(" ", words));
    }

    /** Whether the guest has a network device. */
    public boolean isPresent() {
        return !text.equals("none");
    }

    /** The guest's address, when it is a fixed one. */
    public Optional<String> fixedAddress() {
        String[] words = text.split(" ");
        return words[0].equals("static") ? Optional.of(words[1].substring(0, words[1].indexOf('/'))) : Optional.empty();
    }

    private static void checkStatic(String setting, String[] words) throws SettingException {
        expect(words.length >= 2, setting, "the address is missing");
        String[] parts = words[1].split("/", -1);
        expect(parts.length == 2, setting, "'" + words[1] + "' is not an address with a prefix length");
        long address = address(setting, parts[0]);
        int prefix = number(setting, parts[1], 1, 30);
        expect(words.length % 2 == 0, setting, "'" + words[words.length - 1] + "' has no value");
        for (int i = 2; i < words.length; i += 2) {
            checkOption(setting, words[i], words[i + 1], address, prefix);
        }
    }

    private static void checkOption(String setting, String name, String value, long address, int prefix)
            throws SettingException {
        switch (name) {
            case "gateway" -> {
                long gateway = address(setting, value);
                expect(gateway >>> (32 - prefix) == address >>> (32 - prefix), setting,
                        "the gateway " + value + " is not in the network of the address");
                expect(gateway != address, setting, "the gateway has the address of the guest");
            }
            case "dns" -> {
                for (String server : List.of(value.split(",", -1))) {
                    address(setting, server);
                }
            }
            case "mtu" -> number(setting, value, MIN_MTU, MAX_MTU);
            default -> expect(false, setting, "'" + name + "' is not known");
        }
    }

    private static long address(String setting, String text) throws SettingException {
        String[] bytes = text.split("\\.", -1);
        expect(bytes.length == 4, setting, "'" + text + "' is not an IPv4 address");
        long address = 0;
        for (String part : bytes) {
            boolean fits = BYTE.matcher(part).matches() && Integer.parseInt(part) <= 255;
            expect(fits, setting, "'" + text + "' is not an IPv4 address");
            address = address << 8 | Integer.parseInt(part);
        }
        return address;
    }

    private static int number(String setting, String text, int min, int max) throws SettingException {
        boolean fits = text.matches("\\d{1,6}") && Integer.parseInt(text) >= min && Integer.parseInt(text) <= max;
        expect(fits, setting, "'" + text + "' is not a number from " + min + " to " + max);
        return Integer.parseInt(text);
    }

    private static void expect(boolean condition, String setting, String problem) throws SettingException {
        if (!condition) {
            throw new SettingException("network", "The network '" + setting + "' is not valid: " + problem + ".", FORM);
        }
    }
}
