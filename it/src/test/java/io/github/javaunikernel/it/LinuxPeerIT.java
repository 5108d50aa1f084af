// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import org.junit.jupiter.api.Tag;

/** The same image under Linux: what fails here is a fault of the test, the application or the image. */
@Tag("peer")
class LinuxPeerIT extends ShutdownSuite {

    LinuxPeerIT() {
        super(Platform.LINUX, "lab-app");
    }
}
