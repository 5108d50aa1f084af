// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.useragent.BusinessMetricFeatureId;
import software.amazon.awssdk.services.sts.auth.StsAssumeRoleCredentialsProvider;

/**
 * Where credentials come from. A description says which source is used and never contains a secret.
 *
 * @param description for people, such as {@code profile "work"}
 */
public record CredentialSource(String description, AwsCredentialsProvider provider) {
    private static final String PREFIX = "CREDENTIALS_";
    private static final String DEFAULT = "the default chain";
    private static final String CHAIN =
            "system properties, environment, web identity, default profile, container, instance";

    /** Given keys; the session token may be empty. */
    public static CredentialSource keys(
            String origin, String accessKey, String secretKey, Optional<String> sessionToken) {
        AwsCredentials credentials = sessionToken.isPresent()
                ? AwsSessionCredentials.create(accessKey, secretKey, sessionToken.get())
                : AwsBasicCredentials.create(accessKey, secretKey);
        return new CredentialSource(origin, StaticCredentialsProvider.create(credentials));
    }

    /** A profile of the AWS configuration files, single sign-on included. */
    public static CredentialSource profile(String name) {
        return new CredentialSource("profile \"" + name + "\"", ProfileCredentialsProvider.create(name));
    }

    /** The SDK's chain: system properties, environment, web identity, default profile, container, instance. */
    public static CredentialSource defaultChain() {
        return new CredentialSource(
                DEFAULT, DefaultCredentialsProvider.builder().build());
    }

    /** A role, assumed with the credentials that {@code access} signs with. Valid as long as {@code access} is open. */
    public CredentialSource assumeRole(AwsAccess access, String region, String roleArn) {
        AwsCredentialsProvider role = StsAssumeRoleCredentialsProvider.builder()
                .stsClient(access.sts(region))
                .refreshRequest(r -> r.roleArn(roleArn).roleSessionName("unikernel-maven-plugin"))
                .build();
        return new CredentialSource("role " + roleArn + ", assumed with " + description, role);
    }

    /**
     * Asks the service who the caller is, which also proves the credentials.
     *
     * @return the 12-digit account id
     */
    public String identify(AwsAccess access, String region, CloudLog log) throws CloudException {
        String origin = resolve();
        Retrier retrier = new Retrier(Deadline.in(Retrier.CALL_BUDGET), log);
        String account = retrier.call(
                        "ask who the caller is", () -> access.sts(region).getCallerIdentity())
                .account();
        log.info("Account " + account + ", credentials from " + origin + ".");
        return account;
    }

    private String resolve() throws CloudException {
        try {
            return description
                    + inWords(provider.resolveCredentials().providerName().orElse(""));
        } catch (SdkException e) {
            if (isChain()) {
                throw new CloudException(
                        Reason.CREDENTIALS, "There are no AWS credentials: none of " + CHAIN + " has any.", e);
            }
            throw new CloudException(
                    Reason.CREDENTIALS, "There are no usable AWS credentials in " + description + ".", e);
        }
    }

    private boolean isChain() {
        return description.equals(DEFAULT);
    }

    /** The SDK names the source by one-letter codes, separated by commas where one led to the next. */
    private static String inWords(String codes) {
        String words = Arrays.stream(BusinessMetricFeatureId.values())
                .filter(feature ->
                        feature.name().startsWith(PREFIX) && feature != BusinessMetricFeatureId.CREDENTIALS_CODE)
                .filter(feature -> List.of(codes.split(",")).contains(feature.value()))
                .map(feature -> feature.name()
                        .substring(PREFIX.length())
                        .toLowerCase(Locale.ROOT)
                        .replace('_', ' '))
                .collect(Collectors.joining(", "));
        return words.isEmpty() ? "" : " (" + words + ")";
    }
}
