// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.aws.fake.FakeAws;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CredentialSourceTest {
    private final Deployments.Recorder log = new Deployments.Recorder();
    private FakeAws fake;

    @BeforeEach
    void start() throws Exception {
        fake = new FakeAws();
    }

    @AfterEach
    void stop() {
        fake.close();
    }

    private AwsAccess access(CredentialSource source) throws CloudException {
        return new AwsAccess(source, Optional.of(fake.endpoint()), Optional.empty(), Duration.ofSeconds(10));
    }

    @Test
    void saysWhoAndFromWhereWithoutSecrets() throws Exception {
        CredentialSource keys =
                CredentialSource.keys("server \"aws\"", FakeAws.ACCESS_KEY, FakeAws.SECRET_KEY, Optional.empty());
        try (AwsAccess access = access(keys)) {
            assertEquals(FakeAws.ACCOUNT, keys.identify(access, Deployments.REGION, log));
        }
        assertTrue(log.lines.contains("Account 123456789012, credentials from server \"aws\"."), log.lines::toString);
        assertNoSecret();
    }

    @Test
    void assumesARole() throws Exception {
        CredentialSource keys = CredentialSource.keys("keys", FakeAws.ACCESS_KEY, FakeAws.SECRET_KEY, Optional.empty());
        try (AwsAccess access = access(keys)) {
            CredentialSource role =
                    keys.assumeRole(access, Deployments.REGION, "arn:aws:iam::123456789012:role/deploy");
            try (AwsAccess asRole = access(role)) {
                role.identify(asRole, Deployments.REGION, log);
            }
        }
        assertEquals(1, fake.count("AssumeRole"));
        assertTrue(
                log.lines.stream()
                        .anyMatch(
                                line -> line.contains("role arn:aws:iam::123456789012:role/deploy, assumed with keys")),
                log.lines::toString);
        assertNoSecret();
    }

    @Test
    void wrongKeysAreRefusedAtOnce() throws Exception {
        CredentialSource wrong = CredentialSource.keys("keys", FakeAws.ACCESS_KEY, "wrong", Optional.empty());
        try (AwsAccess access = access(wrong)) {
            CloudException failure =
                    assertThrows(CloudException.class, () -> wrong.identify(access, Deployments.REGION, log));
            assertEquals(Reason.PERMISSION, failure.reason());
            assertTrue(failure.getMessage().contains("SignatureDoesNotMatch"), failure.getMessage());
        }
    }

    @Test
    void anUnknownProfileIsAnErrorAboutCredentials() throws Exception {
        CredentialSource profile = CredentialSource.profile(
                "no-such-profile-" + Path.of("").toAbsolutePath().hashCode());
        try (AwsAccess access = access(profile)) {
            assertEquals(
                    Reason.CREDENTIALS,
                    assertThrows(CloudException.class, () -> profile.identify(access, Deployments.REGION, log))
                            .reason());
        }
    }

    private void assertNoSecret() {
        log.lines.forEach(line -> assertFalse(
                line.contains(FakeAws.SECRET_KEY)
                        || line.contains(FakeAws.ROLE_SECRET_KEY)
                        || line.contains(FakeAws.ROLE_TOKEN),
                line));
    }
}
