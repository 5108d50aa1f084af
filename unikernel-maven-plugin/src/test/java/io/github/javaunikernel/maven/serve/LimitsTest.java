// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.javaunikernel.maven.settings.SettingException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class LimitsTest {

    @Test
    void secondsBecomeTimes() throws SettingException {
        assertEquals(new Limits(1, 2, 3, Duration.ofMinutes(1), Duration.ZERO), Limits.checked(1, 2, 3, 60, 0));
    }

    @Test
    void impossibleNumbersAreErrors() {
        assertEquals(
                "0 is too small. [parameter serve.max, -Dunikernel.serve.max] Give 1 or more.",
                assertThrows(SettingException.class, () -> Limits.checked(0, 0, 1, 1, 1))
                        .getMessage());
        assertEquals(
                "3 instances are to be kept, but only 2 are allowed. [parameter serve.min, -Dunikernel.serve.min]"
                        + " Give a smaller number, or raise -Dunikernel.serve.max.",
                assertThrows(SettingException.class, () -> Limits.checked(3, 2, 1, 1, 1))
                        .getMessage());
    }
}
