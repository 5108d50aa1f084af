// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

/** OpenJDK of the build, on memory-mapped devices. */
class MicrovmIT extends ShutdownSuite {

    MicrovmIT() {
        super(Platform.MICROVM, "lab-app");
    }
}
