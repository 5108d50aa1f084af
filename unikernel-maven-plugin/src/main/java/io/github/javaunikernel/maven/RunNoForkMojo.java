// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.Kernel;
import io.github.javaunikernel.maven.run.BuiltImage;
import io.github.javaunikernel.maven.run.GdbSymbols;
import io.github.javaunikernel.maven.run.Guest;
import io.github.javaunikernel.maven.run.GuestEnd;
import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.Interrupts;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.run.PortOption;
import io.github.javaunikernel.maven.run.QemuBoot;
import io.github.javaunikernel.maven.run.QemuRequest;
import io.github.javaunikernel.maven.run.Xl;
import io.github.javaunikernel.maven.run.XlDomain;
import io.github.javaunikernel.maven.run.XlGuest;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.apache.maven.plugins.annotations.Component;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.eclipse.aether.RepositorySystem;

/**
 * Boots the existing image and stays in the foreground until the guest ends. This is {@code unikernel:run} without
 * building the image first. Use it to bind the goal to a phase.
 *
 * @since 0.1.0
 */
@Mojo(name = "run-no-fork", threadSafe = true)
public class RunNoForkMojo extends AbstractQemuMojo {

    private static final int GDB_PORT = 1234;

    private final long started = System.nanoTime();

    /**
     * How to run the image: {@code qemu}, or {@code xl} if this machine is a Xen host.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.run.with", defaultValue = "qemu")
    private String with;

    /**
     * Opens QEMU's gdb server on this port of this machine. Without a value, the port is 1234; with another, such as
     * {@code 1235}, it is that one. The guest waits for gdb.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.gdb")
    private String gdb;

    @Component
    private RepositorySystem repositories;

    @Override
    protected final void run() throws SettingException, IOException, GuestException, InterruptedException {
        Applications applications = applications();
        publish();
        if (applications.passOver(project) && !isBuilt()) {
            getLog().debug("Nothing to run: no image is made of this module");
            return;
        }
        check(applications);
        try (Interrupts interrupts = new Interrupts(getLog()::info)) {
            Guest guest = start();
            interrupts.passTo(guest);
            try {
                GuestEnd end = guest.await();
                end.check(interrupts.asked());
            } catch (InterruptedException e) {
                guest.kill();
                throw e;
            }
        }
    }

    /** Each module may have the goal in a phase of its own, and then one runs after the other. */
    void check(Applications applications) throws IOException {}

    /** Makes what the goal has built of this module available to the others of the build. */
    void publish() {}

    private boolean isBuilt() {
        return Files.exists(directory().resolve(fileName() + ".img"));
    }

    private Guest start() throws SettingException, IOException {
        return switch (with) {
            case "qemu" -> inQemu();
            case "xl" -> inXen();
            default ->
                throw new SettingException(
                        "run.with", "'" + with + "' is not a way to run a guest.", "Use qemu or xl.");
        };
    }

    private Guest inQemu() throws SettingException, IOException {
        OptionalInt gdbPort = PortOption.parse("gdb", gdb, GDB_PORT);
        QemuRequest request = request(true, gdbPort);
        QemuBoot boot = QemuBoot.prepareWithChannel(request, channel(), console());
        for (PortForward port : boot.ports()) {
            getLog().info(port.url() + " is forwarded to port " + port.guest() + " of the guest");
        }
        announceDebugger(boot.debugPort());
        announceJmx(boot.jmxPort());
        boot.guest()
                .reports()
                .whenListening(() -> getLog().info(String.format(
                        "Listening %.1f s after the start of this goal; Ctrl-C shuts down",
                        (System.nanoTime() - started) / 1e9)));
        if (gdbPort.isPresent()) {
            new LibrariesOnUse(repositories, session, project).add(mojoExecution, Set.of(Kernel.GROUP));
            getLog().info("The guest waits for: gdb " + GdbSymbols.beside(request.image())
                    + " -ex 'target remote localhost:" + gdbPort.getAsInt() + "'");
        } else {
            boot.guest().resume();
        }
        return boot.guest();
    }

    private Guest inXen() throws SettingException, IOException {
        if (firmware() != Firmware.NONE) {
            throw new SettingException(
                    "firmware", "xl loads the kernel itself.", "Leave the parameter out, or run with qemu.");
        }
        BuiltImage image = BuiltImage.find(directory(), fileName());
        drives(image);
        Xl xl = new Xl(searchPath());
        xl.require("run.with");
        return XlGuest.start(xl, new XlDomain(image, image.name(), memory()), Optional.empty(), console());
    }
}
