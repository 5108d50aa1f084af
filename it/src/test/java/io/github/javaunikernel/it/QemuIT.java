// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.nio.file.Path;

/** OpenJDK of the build, in QEMU. */
class QemuIT extends RebootSuite implements ConformanceTests {

    QemuIT() {
        super(Platform.QEMU, "lab-app");
    }

    @Override
    public Path jdk() {
        return Path.of(System.getProperty("java.home"));
    }
}
