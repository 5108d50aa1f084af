// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import org.apache.maven.plugins.annotations.Parameter;

/** The base of the goals that boot an image for tests; where tests are skipped, they are. */
abstract class AbstractTestMojo extends AbstractStartMojo {

    @Parameter(property = "skipITs", defaultValue = "false", readonly = true)
    private boolean skipIts;

    @Parameter(property = "skipTests", defaultValue = "false", readonly = true)
    private boolean skipTests;

    @Parameter(property = "maven.test.skip", defaultValue = "false", readonly = true)
    private boolean skipTestsEntirely;

    @Override
    protected final void run() throws SettingException, GuestException, IOException, InterruptedException {
        if (skipIts || (skipTests && isSkippedWithTests()) || skipTestsEntirely) {
            getLog().info("Skipped, since tests are skipped");
            return;
        }
        test();
    }

    /** Whether {@code skipTests} skips the goal. */
    boolean isSkippedWithTests() {
        return true;
    }

    /** Does the work of the goal. */
    abstract void test() throws SettingException, GuestException, IOException, InterruptedException;
}
