// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.math.BigDecimal;
import java.util.Set;

/**
 * A type of EC2's machines.
 *
 * @param memory in MiB
 * @param price in US dollars an hour, on demand, in us-east-1
 * @param runs the kinds of machine image that it runs
 * @param needs the devices that a guest must drive to reach its disk and its network
 */
record InstanceType(String name, int vcpus, int memory, BigDecimal price, Set<Virtualization> runs, Set<Device> needs) {
    /**
     * Whether it runs images of this kind that a BIOS boots, or UEFI. UEFI is what the types have whose disks are NVMe:
     * DescribeInstanceTypes of August 2026 says so of each in the table.
     */
    boolean boots(Virtualization kind, boolean uefi) {
        return runs.contains(kind) && (!uefi || needs.contains(Device.NVME));
    }

    /** Whether a guest that drives these devices can be run here, in a machine as large as is asked for. */
    boolean fits(MachineSize size, Virtualization kind, boolean uefi, Set<Device> driven) {
        return boots(kind, uefi) && driven.containsAll(needs) && vcpus >= size.vcpus() && memory >= size.memory();
    }
}
