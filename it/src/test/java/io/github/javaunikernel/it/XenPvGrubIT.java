// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

/** OpenJDK of the build, booted the way EC2 does it. */
class XenPvGrubIT extends ShutdownSuite {

    XenPvGrubIT() {
        super(Platform.XEN_PVGRUB, "lab-app");
    }
}
