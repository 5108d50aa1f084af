// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.nio.file.Files;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledIf;

/** OpenJDK 25, booted directly. */
@Tag("platforms")
@EnabledIf("imageWasMade")
class Jdk25XenPvIT extends ShutdownSuite {

    Jdk25XenPvIT() {
        super(Platform.XEN_PV, "lab-app-jdk25");
    }

    static boolean imageWasMade() {
        return Files.exists(Lab.images().resolve("lab-app-jdk25.img"));
    }
}
