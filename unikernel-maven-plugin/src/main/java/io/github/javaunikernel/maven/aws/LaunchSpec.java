// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * The instance asked for.
 *
 * @param name           of the instance, for people
 * @param instanceType   empty: the region's smallest that runs paravirtual images
 * @param securityGroups given ones; empty: one is created that opens {@code ports} to {@code cidr}
 * @param ports          TCP ports, 1 to 65535
 * @param cidr           who may connect, such as {@code 0.0.0.0/0}
 * @param subnetId       empty: EC2 chooses one of the default network
 * @param userData       at most 16 KiB, handed to the program at boot
 * @param healthPath     asked on the first port until it answers 2xx; empty: the running state is enough
 * @param timeout        until the instance runs and is healthy
 * @param keepOnFailure  leave an instance that did not become healthy for a look at it
 */
public record LaunchSpec(String imageId, String name, Optional<String> instanceType, List<String> securityGroups, List<Integer> ports, String cidr,
        Optional<String> subnetId, Optional<byte[]> userData, Optional<String> healthPath, Duration timeout, boolean keepOnFailure) {
    /** EC2's limit before encoding, in bytes. */
    static final int MAX_USER_DATA = 16 * 1024;
}
