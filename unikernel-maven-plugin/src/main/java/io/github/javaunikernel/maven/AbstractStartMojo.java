// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.Guest;
import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.Health;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.settings.SettingException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.maven.plugins.annotations.Parameter;

/** The base of the goals that boot an image and wait until its program answers. */
abstract class AbstractStartMojo extends AbstractQemuMojo {

    /**
     * Path that must answer with status 2xx on the first port before the tests begin, or the training. With
     * {@code none}, the goal only waits until the program listens on a port.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.healthPath", defaultValue = "/health")
    private String healthPath;

    /**
     * Maximum time until the guest must be ready, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.start.timeout", defaultValue = "120")
    private int timeout;

    /** Waits until the program is ready. */
    final void awaitReady(Guest guest, List<PortForward> ports)
            throws SettingException, GuestException, InterruptedException {
        Health.await(guest, healthUrl(ports), limit());
    }

    /** How long a guest may take for an answer. */
    final Duration limit() {
        return Duration.ofSeconds(timeout);
    }

    /** Where the console of the guest is written to. */
    final Path consoleLog() {
        return directory().resolve(fileName() + ".console.log");
    }

    /** Checks a path of the program. */
    static String checkedPath(String parameter, String path, String fix) throws SettingException {
        if (!path.startsWith("/")) {
            throw new SettingException(parameter, "'" + path + "' is not a path.", fix);
        }
        return path;
    }

    private Optional<URI> healthUrl(List<PortForward> ports) throws SettingException {
        if (healthPath.equals("none") || ports.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(URI.create(ports.get(0).url())
                .resolve(checkedPath("healthPath", healthPath, "Begin it with '/', or use none.")));
    }
}
