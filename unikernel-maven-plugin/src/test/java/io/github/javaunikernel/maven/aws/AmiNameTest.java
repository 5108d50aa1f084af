// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class AmiNameTest {
    private static final Map<String, Supplier<String>> VALUES =
            Map.of("artifactId", () -> "shop", "version", () -> "1.0+build:7", "commit", () -> {
                throw new AssertionError("not asked for");
            });

    @Test
    void fillsInAndReplacesWhatEc2Refuses() throws Exception {
        assertEquals("shop-1.0-build-7", AmiName.expand(CloudSetting.NAME, "{artifactId}-{version}", VALUES));
    }

    @Test
    void tellsThePlaceholdersThereAre() {
        CloudException failure =
                assertThrows(CloudException.class, () -> AmiName.expand(CloudSetting.NAME, "{nope}", VALUES));
        assertEquals(Reason.NAME, failure.reason());
        assertTrue(failure.getMessage().contains("{artifactId}, {commit}, {version}"), failure.getMessage());
    }

    @Test
    void refusesWhatEc2Would() {
        assertThrows(CloudException.class, () -> AmiName.expand(CloudSetting.NAME, "ab", VALUES));
        assertThrows(CloudException.class, () -> AmiName.expand(CloudSetting.NAME, "a".repeat(129), VALUES));
        assertThrows(CloudException.class, () -> AmiName.expand(CloudSetting.NAME, "shop:1", VALUES));
    }
}
