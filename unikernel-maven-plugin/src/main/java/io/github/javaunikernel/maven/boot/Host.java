// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import java.util.regex.Pattern;

/** What the kernel can look up, or need not: {@code dns_host_valid()} in net/dns.h. */
final class Host {

    private static final Pattern NAME = Pattern.compile("(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})*");

    private static final Pattern NUMBERS = Pattern.compile("[0-9.]*");

    private Host() {}

    /** Whether this is an IPv4 address, or can be the name of a host. */
    static boolean isValid(String host) {
        return NUMBERS.matcher(host).matches()
                ? Ipv4Address.parse(host).isPresent()
                : NAME.matcher(host).matches();
    }
}
