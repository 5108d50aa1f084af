package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class QemuBootTest {

    @Test
    void timingsAreAskedForOnce() {
        assertEquals("timings", QemuBoot.kernelOptions("", false, false));
        assertEquals("verbose timings", QemuBoot.kernelOptions("verbose timings", true, false));
    }

    @Test
    void theKernelStaysWhereItWasLinkedForGdb() {
        assertEquals("verbose timings nokaslr", QemuBoot.kernelOptions("verbose", false, true));
    }
}
