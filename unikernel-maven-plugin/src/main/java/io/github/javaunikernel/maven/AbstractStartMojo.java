// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.Guest;
import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.Health;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.run.QemuBoot;
import io.github.javaunikernel.maven.run.QemuRequest;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.maven.plugins.annotations.Parameter;

/** The base of the goals that boot an image and wait until its program answers. */
abstract class AbstractStartMojo extends AbstractQemuMojo {

    /**
     * Path that must answer with status 2xx on the first port before the goal goes on. With {@code none}, the goal only
     * waits until the program listens on a port.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.healthPath", defaultValue = "/health")
    private String healthPath;

    /**
     * Maximum time until the guest must be ready, in seconds. For {@code unikernel:check} with {@code checkArguments}:
     * until the guest must have ended.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.start.timeout", defaultValue = "120")
    private int timeout;

    /** Refuses values that would otherwise fail only when the guest runs, or when its old console log is gone. */
    final void checkSettings(QemuRequest request) throws SettingException {
        checkSettings(request.ports());
        QemuBoot.check(request);
    }

    /** Those of them that do not depend on the machine. */
    final void checkSettings(List<PortForward> ports) throws SettingException {
        limit();
        healthUrl(healthPath, ports);
    }

    /** The same before there is an image, as far as that is possible. */
    final void checkSettings() throws SettingException, IOException {
        limit();
        healthUrl(healthPath, checkMachine());
    }

    /** Waits until the program is ready. */
    final void awaitReady(Guest guest, List<PortForward> ports)
            throws SettingException, GuestException, InterruptedException {
        Health.await(guest, healthUrl(healthPath, ports), limit());
    }

    /** As above; the URL of the program's first port ends in '/'. */
    final void awaitReady(Guest guest, String url) throws SettingException, GuestException, InterruptedException {
        Health.await(guest, healthUrl(healthPath, url), limit());
    }

    /** How long a guest may take for an answer. */
    final Duration limit() throws SettingException {
        return limit("start.timeout", timeout);
    }

    /** The file to which the console of the guest is written. */
    Path consoleLog() {
        return directory().resolve(fileName() + ".console.log");
    }

    /** A limit of a goal in seconds, as its parameter gives it. */
    static Duration limit(String parameter, int seconds) throws SettingException {
        if (seconds < 1) {
            throw new SettingException(parameter, seconds + " seconds is too short a time to wait.", "Give 1 or more.");
        }
        return Duration.ofSeconds(seconds);
    }

    /**
     * The URL of a path of the program.
     *
     * @param base the program's URL, which ends in '/'
     * @param fix what to do about a path that does not begin with '/'
     */
    static URI url(String parameter, String base, String path, String fix) throws SettingException {
        if (!path.startsWith("/")) {
            throw new SettingException(parameter, "'" + path + "' is not a path.", fix);
        }
        try {
            return new URI(base + path.substring(1));
        } catch (URISyntaxException e) {
            throw new SettingException(
                    parameter, "'" + path + "' is not a path of a URL.", "Write characters such as spaces as %20.", e);
        }
    }

    /** The URL that answers when the program is ready, or empty if listening on a port is enough. */
    static Optional<URI> healthUrl(String healthPath, List<PortForward> ports) throws SettingException {
        return ports.isEmpty()
                ? Optional.empty()
                : healthUrl(healthPath, ports.get(0).url());
    }

    private static Optional<URI> healthUrl(String healthPath, String base) throws SettingException {
        return healthPath.equals("none")
                ? Optional.empty()
                : Optional.of(url("healthPath", base, healthPath, "Begin it with '/', or use none."));
    }
}
