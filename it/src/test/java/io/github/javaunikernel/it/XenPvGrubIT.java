// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import org.junit.jupiter.api.Tag;

/** OpenJDK of the build, booted the way EC2 does it. */
@Tag("platforms")
class XenPvGrubIT extends ShutdownSuite {

    XenPvGrubIT() {
        super(Platform.XEN_PVGRUB, "lab-app");
    }
}
