package io.github.javaunikernel.it;

import org.junit.jupiter.api.condition.EnabledIf;

/** OpenJDK 25, in QEMU. */
@EnabledIf("io.github.javaunikernel.it.Jdk25XenPvIT#imageWasMade")
class Jdk25QemuIT extends ShutdownSuite {

    Jdk25QemuIT() {
        super(Platform.QEMU, "lab-app-jdk25");
    }
}
