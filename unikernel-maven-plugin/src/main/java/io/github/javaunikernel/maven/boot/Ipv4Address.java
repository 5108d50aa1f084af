// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * An IPv4 address.
 *
 * @param bits the first number of the dotted form is in the highest eight
 */
public record Ipv4Address(int bits) {

    private static final Pattern BYTE = Pattern.compile("0|[1-9]\\d{0,2}");

    /** Reads the dotted form: four decimal numbers up to 255, without leading zeros. Empty for any other text. */
    public static Optional<Ipv4Address> parse(String text) {
        String[] bytes = text.split("\\.", -1);
        if (bytes.length != 4) {
            return Optional.empty();
        }
        int bits = 0;
        for (String part : bytes) {
            if (!BYTE.matcher(part).matches() || Integer.parseInt(part) > 255) {
                return Optional.empty();
            }
            bits = bits << 8 | Integer.parseInt(part);
        }
        return Optional.of(new Ipv4Address(bits));
    }

    /**
     * The address of the network that this one is in.
     *
     * @param prefix length of the network's prefix, 1 to 32
     */
    public Ipv4Address network(int prefix) {
        return new Ipv4Address(bits & -1 << (32 - prefix));
    }

    /** The address of all hosts of the network that this one is in; the prefix is as above. */
    public Ipv4Address broadcast(int prefix) {
        return new Ipv4Address(bits | ~(-1 << (32 - prefix)));
    }

    /** The address after this one. */
    public Ipv4Address next() {
        return new Ipv4Address(bits + 1);
    }

    /** The dotted form. */
    @Override
    public String toString() {
        return (bits >>> 24) + "." + (bits >>> 16 & 255) + "." + (bits >>> 8 & 255) + "." + (bits & 255);
    }
}
