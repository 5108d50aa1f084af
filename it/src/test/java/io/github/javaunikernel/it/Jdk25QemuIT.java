// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.nio.file.Path;
import org.junit.jupiter.api.condition.EnabledIf;

/** OpenJDK 25, in QEMU. */
@EnabledIf("io.github.javaunikernel.it.Jdk25XenPvIT#imageWasMade")
class Jdk25QemuIT extends ShutdownSuite implements ConformanceTests {

    Jdk25QemuIT() {
        super(Platform.QEMU, "lab-app-jdk25");
    }

    @Override
    public Path jdk() {
        return Path.of(System.getProperty("lab.jdk25"));
    }
}
