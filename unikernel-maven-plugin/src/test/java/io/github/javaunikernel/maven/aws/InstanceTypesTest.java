// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InstanceTypesTest {
    private static final Set<Device> NITRO = EnumSet.of(Device.ENA, Device.NVME);
    private static final Set<Device> XEN = EnumSet.of(Device.XEN_VIF, Device.XEN_BLK);

    private static InstanceType cheapest(Virtualization kind, int memory, int vcpus, Set<Device> driven)
            throws CloudException {
        return InstanceTypes.running(kind, false, new MachineSize(memory, vcpus, 0), driven)
                .get(0);
    }

    @ParameterizedTest
    @CsvSource({
        "paravirtual, 256, 1, t1.micro",
        "paravirtual, 1024, 1, m1.small",
        "paravirtual, 1024, 2, c3.large",
        "paravirtual, 3840, 4, c3.xlarge",
        "hvm, 256, 1, t2.nano",
        "hvm, 4096, 4, t2.xlarge"
    })
    void theCheapestThatFitsWithXenDevices(String kind, int memory, int vcpus, String expected) throws Exception {
        assertEquals(
                expected,
                cheapest(Virtualization.parse(List.of(kind)).get(0), memory, vcpus, XEN)
                        .name());
    }

    @ParameterizedTest
    @CsvSource({"256, 1, t3a.nano", "513, 2, t3a.micro", "16384, 2, r7i.large", "8192, 16, c6a.4xlarge"})
    void theCheapestThatFitsOnNitro(int memory, int vcpus, String expected) throws Exception {
        assertEquals(
                expected, cheapest(Virtualization.HVM, memory, vcpus, NITRO).name());
    }

    @Test
    void onlyTypesWhoseEveryDeviceIsDriven() {
        assertThrows(CloudException.class, () -> cheapest(Virtualization.HVM, 256, 1, EnumSet.of(Device.NVME)));
        assertThrows(CloudException.class, () -> cheapest(Virtualization.PARAVIRTUAL, 256, 1, NITRO));
    }

    @Test
    void anImageThatIsTooLargeIsRefused() {
        CloudException failure =
                assertThrows(CloudException.class, () -> cheapest(Virtualization.PARAVIRTUAL, 500_000, 1, XEN));
        assertEquals(
                "The image was built for 500000 MiB and 1 vCPUs, and no known instance type for paravirtual images"
                        + " is that large."
                        + " [parameter instanceType, -Dunikernel.launch.instanceType]"
                        + " Build it for a smaller machine with -Dunikernel.memory and -Dunikernel.vcpus.",
                failure.getMessage());
    }

    @Test
    void everyTypeIsListedOnce() {
        List<InstanceType> all = InstanceTypes.all(Virtualization.HVM, false);
        assertEquals(all.size(), all.stream().map(InstanceType::name).distinct().count());
        assertTrue(all.size() <= 200, "EC2 accepts 200 values for a filter");
        assertEquals(
                "0.0104", InstanceTypes.named("t3.micro").orElseThrow().price().toPlainString());
        assertEquals(NITRO, InstanceTypes.named("t3.micro").orElseThrow().needs());
    }

    @Test
    void uefiRunsOnNitroOnly() throws Exception {
        List<InstanceType> types = InstanceTypes.all(Virtualization.HVM, true);
        assertTrue(types.stream().anyMatch(type -> type.name().equals("t3.micro")), types::toString);
        assertTrue(types.stream().allMatch(type -> type.needs().equals(NITRO)), types::toString);
        assertEquals(List.of(), InstanceTypes.all(Virtualization.PARAVIRTUAL, true));
    }
}
