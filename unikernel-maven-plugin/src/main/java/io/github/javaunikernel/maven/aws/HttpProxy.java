// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.util.Optional;
import java.util.Set;

/**
 * A proxy on the way to the services.
 *
 * @param protocol how to talk to the proxy, {@code http} or {@code https}
 * @param username empty: no authentication
 * @param nonProxyHosts hosts to reach directly, with {@code *} as wildcard
 */
public record HttpProxy(
        String protocol,
        String host,
        int port,
        Optional<String> username,
        Optional<String> password,
        Set<String> nonProxyHosts) {
    @Override
    public String toString() {
        return protocol + "://" + host + ":" + port;
    }
}
