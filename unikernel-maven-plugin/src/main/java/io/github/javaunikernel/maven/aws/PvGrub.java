// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Image;

/**
 * The boot loader of paravirtual machines on EC2: a kernel image (AKI) of Amazon's that reads
 * {@code /boot/grub/menu.lst} from the root volume. The {@code hd0} variant takes volumes without a partition table,
 * which is what the images are. Source: EC2 User Guide, "User provided kernels".
 */
final class PvGrub {
    private static final Pattern NAME = Pattern.compile("pv-grub-hd0_(\\d+)\\.(\\d+)-x86_64\\.gz");

    /**
     * Version 1.05 as the EC2 User Guide listed it in 2023 (cn-north-1: 1.04); used only when the region's own list has
     * none.
     */
    private static final Map<String, String> KNOWN = new TreeMap<>(Map.ofEntries(
            Map.entry("us-east-1", "aki-5c21674b"),
            Map.entry("us-west-1", "aki-59cc8239"),
            Map.entry("us-west-2", "aki-70cb0e10"),
            Map.entry("eu-west-1", "aki-dc9ed9af"),
            Map.entry("eu-central-1", "aki-931fe3fc"),
            Map.entry("ap-northeast-1", "aki-7077ab11"),
            Map.entry("ap-southeast-1", "aki-73a50110"),
            Map.entry("ap-southeast-2", "aki-66506305"),
            Map.entry("sa-east-1", "aki-912fbcfd"),
            Map.entry("us-gov-west-1", "aki-9ee55bff"),
            Map.entry("cn-north-1", "aki-9e8f1da7")));

    /**
     * A boot loader and where its id comes from.
     *
     * @param source {@code given}, {@code found} in the region, or {@code table}
     */
    record Choice(String kernelId, String source) {}

    private PvGrub() {}

    /** Regions that are known to have paravirtual machines. */
    static List<String> knownRegions() {
        return List.copyOf(KNOWN.keySet());
    }

    /** The newest boot loader that Amazon offers in the client's region. */
    static Choice find(Ec2Client ec2, Retrier retrier, String region, CloudLog log) throws CloudException {
        List<Image> kernels = retrier.call(
                "list boot loaders in " + region,
                () -> ec2
                        .describeImagesPaginator(r -> r.owners("amazon")
                                .filters(
                                        Filters.of("image-type", "kernel"),
                                        Filters.of("architecture", "x86_64"),
                                        Filters.of("name", "pv-grub-hd0_*-x86_64.gz")))
                        .images()
                        .stream()
                        .toList());
        Optional<Image> newest = kernels.stream()
                .filter(image -> NAME.matcher(String.valueOf(image.name())).matches())
                .max(Comparator.comparingInt(image -> version(image.name())));
        if (newest.isPresent()) {
            return new Choice(newest.get().imageId(), "found");
        }
        String fallback = KNOWN.get(region);
        if (fallback == null) {
            throw new CloudException(Reason.BOOT_LOADER, "Region " + region + " offers no PV-GRUB boot loader.");
        }
        log.warn("Region " + region + " lists no PV-GRUB boot loader; using " + fallback + ", which it had in 2023.");
        return new Choice(fallback, "table");
    }

    private static int version(String name) {
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            return -1;
        }
        return Integer.parseInt(matcher.group(1)) * 1000 + Integer.parseInt(matcher.group(2));
    }
}
