// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

/** OpenJDK of the build, booted directly. */
class XenPvIT extends RebootSuite {

    XenPvIT() {
        super(Platform.XEN_PV, "lab-app");
    }
}
