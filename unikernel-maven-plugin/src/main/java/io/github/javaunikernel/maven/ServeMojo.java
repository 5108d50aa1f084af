// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.Interrupts;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.run.PortOption;
import io.github.javaunikernel.maven.run.QemuRequest;
import io.github.javaunikernel.maven.serve.FrontDoor;
import io.github.javaunikernel.maven.serve.Limits;
import io.github.javaunikernel.maven.serve.QemuStarter;
import io.github.javaunikernel.maven.serve.SnapshotObstacle;
import io.github.javaunikernel.maven.serve.Snapshots;
import io.github.javaunikernel.maven.serve.StatusServer;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.maven.plugins.annotations.Execute;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;

/**
 * Builds the image and listens on its ports, without booting it. The first connection boots an instance in QEMU and
 * waits until that is ready; bytes are then passed on both ways, whatever the protocol over TCP. An instance without
 * connections is shut down after {@code idleTimeout}. Ctrl-C lets open connections end, up to {@code drainTimeout}, and
 * shuts all instances down; a second Ctrl-C ends them by force.
 *
 * @since 0.1.0
 */
@Mojo(name = "serve", threadSafe = true)
@Execute(phase = LifecyclePhase.PACKAGE)
public final class ServeMojo extends AbstractStartMojo {

    /**
     * Number of instances that are kept running without any connection.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.serve.min", defaultValue = "0")
    private int min;

    /**
     * Maximum number of instances at any time.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.serve.max", defaultValue = "1")
    private int max;

    /**
     * Maximum number of connections of one instance. When all instances have as many, another one is started; at
     * {@code max} instances, further connections wait.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.serve.maxConnections", defaultValue = "256")
    private int maxConnections;

    /**
     * Time without any connection after which an instance is shut down, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.serve.idleTimeout", defaultValue = "60")
    private int idleTimeout;

    /**
     * Maximum time that open connections get after Ctrl-C, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.serve.drainTimeout", defaultValue = "30")
    private int drainTimeout;

    /**
     * Address of this machine on which to listen; {@code 0.0.0.0} for all of them. {@code hostPorts} has the ports,
     * which are by default the same numbers as in the guest.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.serve.address", defaultValue = "127.0.0.1")
    private String address;

    /**
     * Port of 127.0.0.1 for the status page, which also has {@code /status.json}; 0 for a free one, {@code false} for
     * no page.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.serve.statusPort", defaultValue = "0")
    private String statusPort;

    /**
     * Whether an instance that has become idle leaves a snapshot, from which later ones are restored in place of being
     * booted. The snapshot is in a file of the build directory and holds all that the program had in memory.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.serve.snapshot", defaultValue = "false")
    private boolean snapshot;

    /**
     * Maximum time for a guest to end in good order, in seconds; after that it is ended by force.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.stop.timeout", defaultValue = "30")
    private int stopTimeout;

    @Parameter(defaultValue = "${executedProject}", readonly = true)
    private MavenProject executedProject;

    @Override
    protected void run() throws SettingException, GuestException, IOException, InterruptedException {
        ForkedBuild.publish(executedProject, project);
        if (isPassedOver("serve")) {
            return;
        }
        applications().checkOnlyOne();
        Limits limits = Limits.checked(min, max, maxConnections, idleTimeout, drainTimeout);
        OptionalInt status = PortOption.parse("serve.statusPort", statusPort, 0);
        QemuRequest request = request(true, OptionalInt.empty());
        check(request);
        List<Integer> ports = request.ports().stream().map(PortForward::host).toList();
        QemuStarter starter = new QemuStarter(
                request, this::awaitReady, limit("stop.timeout", stopTimeout), ServeMojo::print, snapshots(request));
        try (Interrupts interrupts = new Interrupts(getLog()::info);
                FrontDoor door = FrontDoor.open(address(), ports, limits, starter, System::nanoTime, this::log)) {
            announce(request, door);
            serve(door, status, interrupts);
        }
    }

    private void serve(FrontDoor door, OptionalInt statusPort, Interrupts interrupts)
            throws SettingException, IOException, InterruptedException {
        if (statusPort.isEmpty()) {
            run(door, interrupts);
            return;
        }
        try (StatusServer status = StatusServer.open(statusPort.getAsInt(), door::status)) {
            getLog().info("Status: " + status.url());
            run(door, interrupts);
        }
    }

    private void run(FrontDoor door, Interrupts interrupts) throws IOException, InterruptedException {
        getLog().info("Waiting for connections; Ctrl-C shuts down");
        interrupts.passTo(door);
        door.run();
    }

    private Optional<Snapshots> snapshots(QemuRequest request) {
        Optional<String> obstacle = snapshot ? SnapshotObstacle.of(request) : Optional.empty();
        obstacle.ifPresent(reason -> getLog().warn("No snapshot is taken, and every start is a cold one: " + reason));
        return snapshot && obstacle.isEmpty()
                ? Optional.of(new Snapshots(directory().toAbsolutePath().resolve(fileName() + ".snapshot"), this::log))
                : Optional.empty();
    }

    private void check(QemuRequest request) throws SettingException {
        checkSettings(request);
        if (request.ports().isEmpty()) {
            throw new SettingException("ports", "There is no port to listen on.", "Name one.");
        }
        if (max > 1 && request.data().stream().anyMatch(drive -> !drive.readOnly())) {
            throw new SettingException(
                    "serve.max",
                    "The image writes to a data disk, which is for one machine at a time.",
                    "Leave out -Dunikernel.serve.max, or make the data disk read-only.");
        }
        if (request.debugPort().isPresent() && (max > 1 || request.debugPort().getAsInt() == 0)) {
            throw new SettingException(
                    "debug",
                    "The debugger needs one port that leads to the only instance.",
                    "Use -Dunikernel.debug with a port or without a value, and leave out -Dunikernel.serve.max.");
        }
    }

    private InetAddress address() throws SettingException {
        try {
            return InetAddress.getByName(address);
        } catch (UnknownHostException e) {
            throw new SettingException(
                    "serve.address",
                    "'" + address + "' is not an address.",
                    "Give one of this machine, such as 127.0.0.1, or 0.0.0.0 for all.",
                    e);
        }
    }

    private void announce(QemuRequest request, FrontDoor door) {
        for (int i = 0; i < request.ports().size(); i++) {
            int guest = request.ports().get(i).guest();
            PortForward port = new PortForward(door.ports().get(i), guest);
            getLog().info(port.url() + " leads to port " + port.guest() + " of an instance");
        }
        announceDebugger(request.debugPort());
    }

    private void log(String message) {
        getLog().info(message);
    }

    private static void print(String text) {
        System.out.print(text);
        System.out.flush();
    }
}
