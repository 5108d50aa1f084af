// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** A device of EC2's machines for which a guest needs a driver. */
enum Device {
    XEN_VIF,
    XEN_BLK,
    ENA,
    NVME;

    /**
     * The devices that the guest kernel drives when it is booted in this way. A machine image runs only on types that
     * need no others; a new driver is entered here and nowhere else.
     */
    static final Map<Virtualization, Set<Device>> DRIVEN = Map.of(
            Virtualization.PARAVIRTUAL, Set.of(XEN_VIF, XEN_BLK),
            Virtualization.HVM, Set.of(XEN_VIF, XEN_BLK, ENA, NVME));

    /** Reads a name such as {@code xen-vif}. */
    static Device of(String name) {
        return valueOf(name.toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
