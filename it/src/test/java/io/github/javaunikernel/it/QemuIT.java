package io.github.javaunikernel.it;

/** OpenJDK of the build, in QEMU. */
class QemuIT extends RebootSuite {

    QemuIT() {
        super(Platform.QEMU, "lab-app");
    }
}
