// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.time.Instant;
import java.util.Optional;

/**
 * An instance as EC2 describes it.
 *
 * @param address public, or private when there is no other; empty while it has none
 * @param spot whether its price is the spot price
 */
public record RunningInstance(
        String instanceId,
        String imageId,
        String type,
        String state,
        Optional<String> address,
        Instant launched,
        boolean spot) {}
