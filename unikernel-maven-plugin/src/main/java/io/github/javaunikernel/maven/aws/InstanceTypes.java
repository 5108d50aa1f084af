// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.InstanceTypeInfo;

/** The types of machines that this plugin knows, and which of them run an image. */
final class InstanceTypes {
    /**
     * Family, kinds of machine image, devices that a guest needs, and sizes with vCPUs, memory in MiB and US dollars an
     * hour. Sources: DescribeInstanceTypes of August 2026 for all but the prices; the prices are those of Linux on
     * demand in us-east-1 on 19 January 2026, as AWS' price list had them.
     */
    private static final String TABLE = """
            t1  | paravirtual hvm | xen-vif xen-blk | micro 1 627 0.0200
            m1  | paravirtual hvm | xen-vif xen-blk | small 1 1740 0.0440, medium 1 3788 0.0870
            m1  | paravirtual hvm | xen-vif xen-blk | large 2 7680 0.1750, xlarge 4 15360 0.3500
            m2  | paravirtual hvm | xen-vif xen-blk | xlarge 2 17510 0.2450, 2xlarge 4 35020 0.4900
            m2  | paravirtual hvm | xen-vif xen-blk | 4xlarge 8 70041 0.9800
            m3  | paravirtual hvm | xen-vif xen-blk | medium 1 3840 0.0670, large 2 7680 0.1330
            m3  | paravirtual hvm | xen-vif xen-blk | xlarge 4 15360 0.2660, 2xlarge 8 30720 0.5320
            c1  | paravirtual hvm | xen-vif xen-blk | medium 2 1740 0.1300, xlarge 8 7168 0.5200
            c3  | paravirtual hvm | xen-vif xen-blk | large 2 3840 0.1050, xlarge 4 7680 0.2100, 2xlarge 8 15360 0.4200
            c3  | paravirtual hvm | xen-vif xen-blk | 4xlarge 16 30720 0.8400, 8xlarge 32 61440 1.6800
            t2  | hvm             | xen-vif xen-blk | nano 1 512 0.0058, micro 1 1024 0.0116, small 1 2048 0.0230
            t2  | hvm             | xen-vif xen-blk | medium 2 4096 0.0464, large 2 8192 0.0928
            t2  | hvm             | xen-vif xen-blk | xlarge 4 16384 0.1856, 2xlarge 8 32768 0.3712
            m4  | hvm             | xen-vif xen-blk | large 2 8192 0.1000, xlarge 4 16384 0.2000, 2xlarge 8 32768 0.4000
            c4  | hvm             | xen-vif xen-blk | large 2 3840 0.1000, xlarge 4 7680 0.1990, 2xlarge 8 15360 0.3980
            t3a | hvm             | ena nvme        | nano 2 512 0.0047, micro 2 1024 0.0094, small 2 2048 0.0188
            t3a | hvm             | ena nvme        | medium 2 4096 0.0376, large 2 8192 0.0752
            t3a | hvm             | ena nvme        | xlarge 4 16384 0.1504, 2xlarge 8 32768 0.3008
            t3  | hvm             | ena nvme        | nano 2 512 0.0052, micro 2 1024 0.0104, small 2 2048 0.0208
            t3  | hvm             | ena nvme        | medium 2 4096 0.0416, large 2 8192 0.0832
            t3  | hvm             | ena nvme        | xlarge 4 16384 0.1664, 2xlarge 8 32768 0.3328
            m5  | hvm             | ena nvme        | large 2 8192 0.0960, xlarge 4 16384 0.1920, 2xlarge 8 32768 0.3840
            m6a | hvm             | ena nvme        | large 2 8192 0.0864, xlarge 4 16384 0.1728, 2xlarge 8 32768 0.3456
            c5  | hvm             | ena nvme        | large 2 4096 0.0850, xlarge 4 8192 0.1700, 2xlarge 8 16384 0.3400
            c6a | hvm             | ena nvme        | large 2 4096 0.0765, xlarge 4 8192 0.1530, 2xlarge 8 16384 0.3060
            c6a | hvm             | ena nvme        | 4xlarge 16 32768 0.6120, 8xlarge 32 65536 1.2240
            c7a | hvm             | ena nvme        | medium 1 2048 0.05132, large 2 4096 0.10264, xlarge 4 8192 0.20528
            c7i | hvm             | ena nvme        | large 2 4096 0.08925, xlarge 4 8192 0.1785, 2xlarge 8 16384 0.3570
            r7i | hvm             | ena nvme        | large 2 16384 0.1323, xlarge 4 32768 0.2646
            r7i | hvm             | ena nvme        | 2xlarge 8 65536 0.5292
            """;

    private static final List<InstanceType> ALL = TABLE.lines()
            .flatMap(InstanceTypes::types)
            .sorted(Comparator.comparing(InstanceType::price).thenComparing(InstanceType::name))
            .toList();

    private InstanceTypes() {}

    private static Stream<InstanceType> types(String row) {
        String[] columns = row.split(" *\\| *");
        Set<Virtualization> runs = Arrays.stream(columns[1].split(" "))
                .map(kind -> Virtualization.valueOf(kind.toUpperCase(Locale.ROOT)))
                .collect(Collectors.toSet());
        Set<Device> needs = Arrays.stream(columns[2].split(" ")).map(Device::of).collect(Collectors.toSet());
        return Arrays.stream(columns[3].split(", "))
                .map(size -> size.split(" "))
                .map(size -> new InstanceType(
                        columns[0] + "." + size[0],
                        Integer.parseInt(size[1]),
                        Integer.parseInt(size[2]),
                        new BigDecimal(size[3]),
                        runs,
                        needs));
    }

    static Optional<InstanceType> named(String name) {
        return ALL.stream().filter(type -> type.name().equals(name)).findFirst();
    }

    /** The types that run images of this kind, whatever devices they need; the cheapest first. */
    static List<InstanceType> all(Virtualization kind, boolean uefi) {
        return ALL.stream().filter(type -> type.boots(kind, uefi)).toList();
    }

    /**
     * The types that run an image, the cheapest first.
     *
     * @throws CloudException when the image needs a larger machine than any of them
     */
    static List<InstanceType> running(Virtualization kind, boolean uefi, MachineSize size, Set<Device> driven)
            throws CloudException {
        List<InstanceType> types =
                ALL.stream().filter(type -> type.fits(size, kind, uefi, driven)).toList();
        if (!types.isEmpty()) {
            return types;
        }
        throw new CloudException(
                CloudSetting.INSTANCE_TYPE,
                "The image was built for " + size.memory() + " MiB and "
                        + size.vcpus()
                        + " vCPUs, and no known instance type for " + kind.id() + " images is that large.",
                "Build it for a smaller machine with -Dunikernel.memory and -Dunikernel.vcpus.");
    }

    /**
     * Those of the types that the client's region offers, in the same order.
     *
     * @throws CloudException when there is none
     */
    static List<InstanceType> offered(
            List<InstanceType> types, Virtualization kind, boolean uefi, Ec2Client ec2, Retrier retrier, String region)
            throws CloudException {
        String[] names = types.stream().map(InstanceType::name).toArray(String[]::new);
        Set<String> there = retrier.call(
                "list instance types in " + region,
                () -> ec2
                        .describeInstanceTypesPaginator(r -> r.filters(
                                Filters.of("supported-virtualization-type", kind.id()),
                                Filters.of("supported-boot-mode", uefi ? "uefi" : "legacy-bios"),
                                Filters.of("instance-type", names)))
                        .instanceTypes()
                        .stream()
                        .map(InstanceTypeInfo::instanceTypeAsString)
                        .collect(Collectors.toSet()));
        List<InstanceType> offered =
                types.stream().filter(type -> there.contains(type.name())).toList();
        if (offered.isEmpty()) {
            throw new CloudException(
                    Reason.REGION,
                    "Region " + region + " has no known instance type for such "
                            + kind.id() + " images"
                            + (kind == Virtualization.PARAVIRTUAL
                                    ? "; regions known to have some are " + String.join(", ", PvGrub.knownRegions())
                                    : "")
                            + ".");
        }
        return offered;
    }

    /** Names for a message. */
    static String names(List<InstanceType> types) {
        return types.stream().map(InstanceType::name).collect(Collectors.joining(", "));
    }
}
