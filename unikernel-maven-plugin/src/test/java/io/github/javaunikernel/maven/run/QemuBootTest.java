// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class QemuBootTest {

    @Test
    void theKernelsOptionsAreTheImages() {
        assertEquals("verbose", QemuBoot.kernelOptions("verbose", false));
    }

    @Test
    void theKernelStaysWhereItWasLinkedForGdb() {
        assertEquals("nokaslr", QemuBoot.kernelOptions("", true));
        assertEquals("verbose nokaslr", QemuBoot.kernelOptions("verbose", true));
    }
}
