// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

/** OpenJDK of the build, in a Xen domain with native paging. */
class XenPvhIT extends ShutdownSuite {

    XenPvhIT() {
        super(Platform.XEN_PVH, "lab-app");
    }
}
