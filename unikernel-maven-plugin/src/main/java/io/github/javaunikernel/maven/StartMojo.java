// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.Console;
import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.run.QemuBoot;
import io.github.javaunikernel.maven.run.QemuRequest;
import io.github.javaunikernel.maven.run.StartedGuest;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.Properties;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;

/**
 * Boots the image in QEMU for integration tests and waits until it answers. Sets the project properties
 * {@code unikernel.url} and {@code unikernel.port} for the first port, and {@code unikernel.port.N} for each port N of
 * the guest. Writes the guest's console to {@code NAME.console.log} in the build directory. The guest runs until
 * {@code unikernel:stop}, or until the end of the build at the latest. The goal is skipped if {@code skipITs} or
 * {@code maven.test.skip} is set, and with a Failsafe before 3.6.0, which skips its tests then, if {@code skipTests}
 * is.
 *
 * @since 0.1.0
 */
@Mojo(name = "start", defaultPhase = LifecyclePhase.PRE_INTEGRATION_TEST, threadSafe = true)
public final class StartMojo extends AbstractTestMojo {

    /** The tests that need the guest decide. */
    @Override
    boolean isSkippedWithTests() {
        return IntegrationTests.areSkippedWithTests(project);
    }

    @Override
    void test() throws SettingException, GuestException, IOException, InterruptedException {
        start(StartedGuests.of(getPluginContext(), fileName()));
    }

    private void start(StartedGuests guests)
            throws SettingException, GuestException, IOException, InterruptedException {
        if (guests.current().isPresent()) {
            throw new SettingException(
                    "imageName",
                    fileName() + " was started before in this build.",
                    "Stop it first with unikernel:stop.");
        }
        long begin = System.nanoTime();
        QemuRequest request = request(false, OptionalInt.empty());
        checkSettings(request);
        Path log = consoleLog();
        Console console = StartedGuest.consoleTo(log);
        QemuBoot boot = QemuBoot.prepareWithChannel(request, channel(), console);
        StartedGuest guest = new StartedGuest(boot.guest());
        SessionEnd.then(session, () -> end(guest));
        boot.guest().resume();
        announceDebugger(boot.debugPort());
        announceJmx(boot.jmxPort());
        try {
            awaitReady(boot.guest(), boot.ports());
        } catch (SettingException | GuestException | InterruptedException e) {
            guest.kill();
            throw e;
        }
        guests.put(guest);
        export(boot.ports());
        getLog().info(String.format(
                "Ready after %.1f s%s; its console: %s",
                (System.nanoTime() - begin) / 1e9,
                boot.ports().isEmpty() ? "" : " at " + boot.ports().get(0).url(),
                log));
    }

    private void end(StartedGuest guest) {
        try {
            guest.kill();
        } catch (IOException e) {
            getLog().warn("The guest could not be ended. " + FileTrouble.of(e).text());
        }
    }

    private void export(List<PortForward> ports) {
        Properties properties = project.getProperties();
        for (PortForward port : ports) {
            properties.setProperty("unikernel.port." + port.guest(), String.valueOf(port.host()));
        }
        if (!ports.isEmpty()) {
            properties.setProperty("unikernel.port", String.valueOf(ports.get(0).host()));
            properties.setProperty("unikernel.url", ports.get(0).url());
        }
    }
}
