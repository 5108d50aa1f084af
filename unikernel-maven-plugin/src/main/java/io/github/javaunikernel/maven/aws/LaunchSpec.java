// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The instances asked for.
 *
 * @param size machine that the image was built for
 * @param project what the instances are of, as in {@link AmiSpec#project}
 * @param tags put on instances, volumes and the security group beside the program's own
 * @param count number of instances, all alike, at least 1
 * @param instanceType empty: the region's cheapest that runs the image
 * @param spot at the spot price, and ended by EC2 when it needs the machines
 * @param instanceProfile name or ARN of the profile with the role whose credentials the program gets; empty: none
 * @param userData at most 16 KiB, handed to the program at boot
 * @param healthPath asked on the first port until it answers 2xx; empty: the running state is enough
 * @param timeout until all instances run and are healthy
 * @param keepOnFailure leave instances that did not become healthy for a look at them
 */
public record LaunchSpec(
        String imageId,
        MachineSize size,
        String project,
        Map<String, String> tags,
        int count,
        Optional<String> instanceType,
        boolean spot,
        Optional<String> instanceProfile,
        Network network,
        Optional<byte[]> userData,
        Optional<String> healthPath,
        Duration timeout,
        boolean keepOnFailure) {
    /** More than any application needs at once, and few enough that a slip does not cost a fortune. */
    private static final int MAX_COUNT = 1000;

    /** EC2's limit before encoding, in bytes. */
    private static final int MAX_USER_DATA = 16 * 1024;

    /**
     * Where they are reached.
     *
     * @param securityGroups given ones; empty: one is created that opens {@code ports} to {@code cidr}
     * @param ports TCP ports; the first is the one of the URL
     * @param cidr who may connect, such as {@code 0.0.0.0/0}
     * @param subnetId empty: EC2 chooses one of the default network
     */
    public record Network(List<String> securityGroups, List<Integer> ports, String cidr, Optional<String> subnetId) {}

    /** @throws CloudException for a value that cannot work */
    void check() throws CloudException {
        if (count < 1 || count > MAX_COUNT) {
            throw new CloudException(
                    CloudSetting.COUNT,
                    count + " instances cannot be launched.",
                    "Give a number from 1 to " + MAX_COUNT + ".");
        }
        for (int port : network.ports()) {
            if (port < 1 || port > 65535) {
                throw new CloudException(
                        CloudSetting.PORTS, port + " is not a TCP port.", "Give ports from 1 to 65535.");
            }
        }
        if (userData.isPresent() && userData.get().length > MAX_USER_DATA) {
            throw new CloudException(
                    CloudSetting.USER_DATA,
                    "The user data is " + userData.get().length + " bytes long.",
                    "Shorten it to " + MAX_USER_DATA + " bytes, which is what EC2 accepts.");
        }
        if (healthPath.isPresent() && !isPath(healthPath.get())) {
            throw new CloudException(
                    CloudSetting.HEALTH_PATH,
                    "\"" + healthPath.get() + "\" is not a path of a URL.",
                    "Begin it with '/' and write %20 for a space, or use none.");
        }
    }

    private static boolean isPath(String text) {
        try {
            return text.startsWith("/") && new URI(text).getHost() == null;
        } catch (URISyntaxException e) {
            return false;
        }
    }
}
