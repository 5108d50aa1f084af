// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.QemuBoot;
import io.github.javaunikernel.maven.run.QemuRequest;
import io.github.javaunikernel.maven.run.StartedGuest;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Boots the image in QEMU and has the application check itself: with {@code checkArguments} the program is started with
 * these in place of its arguments and must end with status 0; without them, {@code healthPath} must answer with status
 * 2xx, and the guest must then shut down cleanly. The build fails otherwise, with the last lines of the guest's
 * console, all of which is in {@code NAME.check.console.log}. The goal is skipped if {@code skipITs}, {@code skipTests}
 * or {@code maven.test.skip} is set.
 *
 * @since 0.1.0
 */
@Mojo(name = "check", defaultPhase = LifecyclePhase.VERIFY, threadSafe = true)
public final class CheckMojo extends AbstractTestMojo {

    /**
     * Arguments with which the application checks itself, such as {@code --check}, in place of {@code arguments}.
     * {@code unikernel:image} adds them to the image, so configure both goals alike.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.checkArguments")
    private List<String> checkArguments = List.of();

    /**
     * Maximum time until the guest must have ended after it was ready, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.stop.timeout", defaultValue = "30")
    private int stopTimeout;

    @Override
    Path consoleLog() {
        return directory().resolve(fileName() + ".check.console.log");
    }

    @Override
    void test() throws SettingException, GuestException, IOException, InterruptedException {
        if (isPassedOver("check")) {
            return;
        }
        QemuRequest request = request(false, OptionalInt.empty());
        List<String> arguments = ImageMojo.withEmptyOnes(checkArguments);
        checkArguments(arguments, request.image().checkArguments());
        checkSettings(request);
        limit("stop.timeout", stopTimeout);
        long begin = System.nanoTime();
        if (arguments.isEmpty()) {
            inGuest(request, (boot, guest) -> {
                awaitReady(boot.guest(), boot.ports());
                guest.stop(limit("stop.timeout", stopTimeout));
            });
        } else {
            inGuest(request.checking(), (boot, guest) -> guest.awaitEnd(limit()));
        }
        getLog().info(String.format("The image has passed its check in %.1f s", (System.nanoTime() - begin) / 1e9));
    }

    /** What a check does while the guest runs. */
    private interface Work {
        void with(QemuBoot boot, StartedGuest guest)
                throws SettingException, GuestException, IOException, InterruptedException;
    }

    /** The guest has ended when this returns; on Ctrl-C it ends with Maven. */
    private void inGuest(QemuRequest request, Work work)
            throws SettingException, GuestException, IOException, InterruptedException {
        getLog().info("Checking the image; the guest's console: " + consoleLog());
        QemuBoot boot = QemuBoot.prepare(request, StartedGuest.consoleTo(consoleLog()));
        StartedGuest guest = new StartedGuest(boot.guest());
        try {
            boot.guest().resume();
            announceDebugger(boot.debugPort());
            work.with(boot, guest);
        } finally {
            guest.kill();
        }
    }

    private void checkArguments(List<String> wanted, List<String> possible) throws SettingException {
        if (!wanted.equals(possible)) {
            throw new SettingException(
                    "checkArguments",
                    "The image was made for " + shown(possible) + ", not for " + shown(wanted) + ".",
                    "Set the parameter for the goals image and check alike, and make the image again.");
        }
        if (!wanted.isEmpty() && firmware() != Firmware.NONE) {
            getLog().info("QEMU loads the kernel itself, since firmware would have the program started without"
                    + " checkArguments");
        }
    }

    private static String shown(List<String> arguments) {
        return arguments.isEmpty()
                ? "a check without arguments"
                : "a check with '" + String.join("' '", arguments) + "'";
    }
}
