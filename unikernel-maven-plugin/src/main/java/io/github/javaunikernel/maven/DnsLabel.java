// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

/** Names of hosts, and of what else must be a label of DNS (RFC 1123): at most 63 letters, digits and hyphens. */
final class DnsLabel {

    private DnsLabel() {}

    /** The name that is nearest to an artifact's id, or {@code unikernel} if nothing of that can be part of a label. */
    static String near(String id) {
        String name = id.replaceAll("[^A-Za-z0-9]+", "-");
        name = name.substring(0, Math.min(name.length(), 63)).replaceAll("^-+|-+$", "");
        return name.isEmpty() ? "unikernel" : name;
    }
}
