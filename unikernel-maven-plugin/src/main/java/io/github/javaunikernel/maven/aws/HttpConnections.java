// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Collectors;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.ProxyConfiguration;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;

/**
 * The HTTP client under every call: the JDK's own. It brings the fewest jars, has no wire log that could print a secret, and
 * in the benchmark keeps pace with the pooled Apache client once the JDK keeps enough idle connections.
 */
final class HttpConnections {
    /** The JDK keeps 5 idle connections a host unless told; more workers than that would set up TLS over and over. */
    private static final String IDLE_CONNECTIONS = "http.maxConnections";
    private static final Duration CONNECT = Duration.ofSeconds(10);

    private HttpConnections() {
    }

    static SdkHttpClient open(Optional<HttpProxy> proxy, Duration attemptTimeout) {
        if (System.getProperty(IDLE_CONNECTIONS) == null) {
            System.setProperty(IDLE_CONNECTIONS, "256");
        }
        UrlConnectionHttpClient.Builder client = UrlConnectionHttpClient.builder()
                .connectionTimeout(CONNECT)
                .socketTimeout(attemptTimeout);
        proxy.ifPresent(p -> client.proxyConfiguration(configuration(p)));
        return client.build();
    }

    private static ProxyConfiguration configuration(HttpProxy proxy) {
        ProxyConfiguration.Builder builder = ProxyConfiguration.builder()
                .endpoint(URI.create(proxy.protocol() + "://" + proxy.host() + ":" + proxy.port()))
                .useSystemPropertyValues(false)
                .useEnvironmentVariablesValues(false)
                // the SDK wants regular expressions
                .nonProxyHosts(proxy.nonProxyHosts().stream().map(host -> host.replace(".", "\\.").replace("*", ".*")).collect(Collectors.toSet()));
        proxy.username().ifPresent(builder::username);
        proxy.password().ifPresent(builder::password);
        return builder.build();
    }
}
