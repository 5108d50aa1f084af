// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.StartedGuest;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Cleanly shuts down the guest that {@code unikernel:start} started. Fails if the program in the guest ends with a
 * status other than 0 or 143, the status of a JVM that is asked to end.
 *
 * @since 0.1.0
 */
@Mojo(name = "stop", defaultPhase = LifecyclePhase.POST_INTEGRATION_TEST, threadSafe = true)
public final class StopMojo extends AbstractImageFilesMojo {

    /**
     * Maximum time until the guest must have ended, in seconds; after that it is ended by force.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.stop.timeout", defaultValue = "30")
    private int timeout;

    @Override
    protected void run() throws SettingException, GuestException, IOException, InterruptedException {
        Duration limit = AbstractStartMojo.limit("stop.timeout", timeout);
        Optional<StartedGuest> guest =
                StartedGuests.of(getPluginContext(), fileName()).take();
        if (guest.isEmpty()) {
            getLog().info("Nothing to stop: unikernel:start has not started " + fileName() + " in this build");
            return;
        }
        guest.get().stop(limit);
        getLog().info("Stopped");
    }
}
