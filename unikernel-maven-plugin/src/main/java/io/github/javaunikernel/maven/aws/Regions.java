// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.util.Optional;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;

/** The names of AWS regions. */
public final class Regions {

    private Regions() {}

    /** Whether the SDK knows a region of this name; it does not know one that is newer than itself. */
    public static boolean isKnown(String name) {
        return Region.regions().contains(Region.of(name));
    }

    /**
     * The region that the AWS configuration of this machine names.
     *
     * @param profile of the AWS configuration files; empty for the default one
     * @return empty when it names none
     */
    public static Optional<String> configured(Optional<String> profile) {
        var chain = DefaultAwsRegionProviderChain.builder();
        profile.ifPresent(chain::profileName);
        try {
            return Optional.of(chain.build().getRegion().id());
        } catch (SdkException e) {
            return Optional.empty();
        }
    }
}
