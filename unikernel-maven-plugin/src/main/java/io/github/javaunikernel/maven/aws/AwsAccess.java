// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.SdkClient;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.client.builder.SdkSyncClientBuilder;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ebs.EbsClient;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sts.StsClient;

/**
 * Clients by service and region over one pool of connections. The SDK's own retries are off: {@link Retrier} decides,
 * once, with the deadlines the user set. Thread-safe; closing it closes every client it gave out.
 */
public final class AwsAccess implements AutoCloseable {
    private final AwsCredentialsProvider credentials;
    private final Optional<URI> endpoint;
    private final Duration attemptTimeout;
    private final SdkHttpClient http;
    private final Map<String, SdkClient> clients = new ConcurrentHashMap<>();

    /**
     * @param source of the credentials that requests are signed with
     * @param endpoint answers for every service, for tests and private clouds; empty: AWS
     * @param attemptTimeout for one attempt of one call
     * @throws CloudException when the endpoint or the proxy cannot be an address
     */
    public AwsAccess(
            CredentialSource source, Optional<URI> endpoint, Optional<HttpProxy> proxy, Duration attemptTimeout)
            throws CloudException {
        if (endpoint.isPresent()) {
            requireUsable(endpoint.get());
        }
        this.credentials = source.provider();
        this.endpoint = endpoint;
        this.attemptTimeout = attemptTimeout;
        this.http = HttpConnections.open(proxy, attemptTimeout);
    }

    private static void requireUsable(URI endpoint) throws CloudException {
        boolean web = "http".equals(endpoint.getScheme()) || "https".equals(endpoint.getScheme());
        if (!web || endpoint.getHost() == null) {
            throw notAnEndpoint(endpoint.toString());
        }
    }

    /** The failure for what can be no endpoint. */
    public static CloudException notAnEndpoint(String text) {
        return new CloudException(
                CloudSetting.ENDPOINT,
                "\"" + text + "\" is not the address of a service.",
                "Give one such as http://127.0.0.1:4566.");
    }

    EbsClient ebs(String region) {
        return (EbsClient) clients.computeIfAbsent(
                "ebs " + region, key -> configured(EbsClient.builder(), region).build());
    }

    Ec2Client ec2(String region) {
        return (Ec2Client) clients.computeIfAbsent(
                "ec2 " + region, key -> configured(Ec2Client.builder(), region).build());
    }

    StsClient sts(String region) {
        return (StsClient) clients.computeIfAbsent(
                "sts " + region, key -> configured(StsClient.builder(), region).build());
    }

    S3Client s3(String region) {
        return (S3Client) clients.computeIfAbsent(
                "s3 " + region,
                key -> configured(S3Client.builder(), region)
                        .forcePathStyle(endpoint.isPresent())
                        // parts carry Content-MD5; a second checksum would only add a trailer
                        .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                        .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                        .serviceConfiguration(c -> c.chunkedEncodingEnabled(false))
                        .build());
    }

    private <B extends AwsClientBuilder<B, C> & SdkSyncClientBuilder<B, C>, C> B configured(B builder, String region) {
        endpoint.ifPresent(builder::endpointOverride);
        return builder.region(Region.of(region))
                .credentialsProvider(credentials)
                .httpClient(http)
                .overrideConfiguration(
                        c -> c.retryStrategy(AwsRetryStrategy.doNotRetry()).apiCallAttemptTimeout(attemptTimeout));
    }

    @Override
    public void close() {
        clients.values().forEach(SdkClient::close);
        http.close();
    }
}
