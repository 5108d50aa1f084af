// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.util.Comparator;
import java.util.List;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.InstanceTypeInfo;

/** Which machines of a region run paravirtual images. */
final class InstanceTypes {
    private InstanceTypes() {
    }

    /**
     * The region's types that run 64-bit paravirtual images, smallest memory first.
     *
     * @throws CloudException when there is none
     */
    static List<InstanceTypeInfo> paravirtual(Ec2Client ec2, Retrier retrier, String region) throws CloudException {
        List<InstanceTypeInfo> types = retrier.call("list instance types in " + region, () -> ec2.describeInstanceTypesPaginator(r -> r
                .filters(Filters.of("supported-virtualization-type", "paravirtual"), Filters.of("processor-info.supported-architecture", "x86_64")))
                .instanceTypes().stream()
                .sorted(Comparator.comparingLong((InstanceTypeInfo type) -> type.memoryInfo().sizeInMiB()).thenComparing(InstanceTypeInfo::instanceTypeAsString))
                .toList());
        if (types.isEmpty()) {
            throw new CloudException(Reason.REGION, "Region " + region + " has no machines for paravirtual images; regions known to have them are "
                    + String.join(", ", PvGrub.knownRegions()) + ".");
        }
        return types;
    }
}
