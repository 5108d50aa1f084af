// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@code mvn unikernel:serve} with domains of the lab's Xen host; lab/serve-xl has the steps, each a line. */
@Tag("serve")
@Timeout(value = 6, unit = TimeUnit.HOURS)
class ServeXlIT {

    @Test
    void domainsServeAProject() throws IOException, InterruptedException {
        ProcessBuilder command = new ProcessBuilder(
                        System.getProperty("lab.directory") + "/serve-xl",
                        "-ntp",
                        "-Dmaven.repo.local=" + System.getProperty("lab.repository"))
                .redirectErrorStream(true);
        command.environment().put("MAVEN_HOME", System.getProperty("lab.maven"));
        Process run = command.start();
        run.getOutputStream().close();
        String lines = new String(run.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        System.out.println(lines);
        assertEquals(0, run.waitFor(), lines);
    }
}
