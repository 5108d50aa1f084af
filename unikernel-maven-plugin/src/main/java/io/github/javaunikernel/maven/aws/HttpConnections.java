// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Collectors;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.ProxyConfiguration;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;

/**
 * The HTTP client under every call: the JDK's own. It brings the fewest jars, has no wire log that could print a
 * secret, and in the benchmark keeps pace with the pooled Apache client once the JDK keeps enough idle connections.
 */
final class HttpConnections {
    /** The JDK keeps 5 idle connections a host unless told; more workers than that would set up TLS over and over. */
    private static final String IDLE_CONNECTIONS = "http.maxConnections";

    private static final Duration CONNECT = Duration.ofSeconds(10);

    private HttpConnections() {}

    /** @throws CloudException when the proxy cannot be one */
    static SdkHttpClient open(Optional<HttpProxy> proxy, Duration attemptTimeout) throws CloudException {
        if (System.getProperty(IDLE_CONNECTIONS) == null) {
            System.setProperty(IDLE_CONNECTIONS, "256");
        }
        UrlConnectionHttpClient.Builder client =
                UrlConnectionHttpClient.builder().connectionTimeout(CONNECT).socketTimeout(attemptTimeout);
        if (proxy.isPresent()) {
            client.proxyConfiguration(configuration(proxy.get()));
        }
        return new AbortableHttp(client.build());
    }

    private static URI address(HttpProxy proxy) throws CloudException {
        try {
            return new URI(proxy.protocol(), null, proxy.host(), proxy.port(), null, null, null);
        } catch (URISyntaxException e) {
            throw new CloudException(
                    Reason.SETTING,
                    null,
                    "The active proxy of settings.xml has no usable address: " + proxy + ".",
                    "Correct its protocol, host and port there.",
                    e);
        }
    }

    private static ProxyConfiguration configuration(HttpProxy proxy) throws CloudException {
        ProxyConfiguration.Builder builder = ProxyConfiguration.builder()
                .endpoint(address(proxy))
                .useSystemPropertyValues(false)
                .useEnvironmentVariablesValues(false)
                // the SDK wants regular expressions
                .nonProxyHosts(proxy.nonProxyHosts().stream()
                        .map(host -> host.replace(".", "\\.").replace("*", ".*"))
                        .collect(Collectors.toSet()));
        proxy.username().ifPresent(builder::username);
        proxy.password().ifPresent(builder::password);
        return builder.build();
    }
}
