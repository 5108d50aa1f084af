// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A guest in QEMU with its ports connected, not yet running.
 *
 * @param ports with the host's ports as they are
 * @param debugPort port of this machine that leads to the JVM's debugger agent
 * @param jmxPort port of this machine that leads to the JVM's agent for JMX, the same as in the guest
 */
public record QemuBoot(QemuGuest guest, List<PortForward> ports, OptionalInt debugPort, OptionalInt jmxPort) {

    /** Makes the machine and connects its ports. The caller lets it run, unless gdb is to do that. */
    public static QemuBoot prepare(QemuRequest request, Console console) throws SettingException, IOException {
        return prepare(request, Optional.empty(), OptionalInt.empty(), console);
    }

    /**
     * As above, for somebody who operates the guest: with the port of JMX, if the image has one, and a channel for
     * requests to the guest's kernel.
     *
     * @param channel the socket to make for it; it is left out if its path is too long for a socket
     */
    public static QemuBoot prepareWithChannel(QemuRequest request, Path channel, Console console)
            throws SettingException, IOException {
        int jmx = request.image().jmxPort();
        return prepare(
                request,
                ChannelSocket.reachable(channel),
                jmx == 0 ? OptionalInt.empty() : OptionalInt.of(jmx),
                console);
    }

    private static QemuBoot prepare(QemuRequest request, Optional<Path> channel, OptionalInt jmxPort, Console console)
            throws SettingException, IOException {
        Reports reports =
                new Reports(request.image().debugPort(), request.image().jmxPort());
        QemuGuest guest = QemuGuest.start(checked(request), channel, console, reports);
        try {
            return connect(request, jmxPort, guest);
        } catch (SettingException | IOException e) {
            guest.kill();
            throw e;
        }
    }

    private static QemuBoot connect(QemuRequest request, OptionalInt jmxPort, QemuGuest guest)
            throws SettingException, IOException {
        String address = request.image()
                .network()
                .fixed()
                .map(fixed -> fixed.address().toString())
                .orElse("");
        List<PortForward> ports = new ArrayList<>();
        for (PortForward port : request.ports()) {
            ports.add(new PortForward(guest.forward(port, "hostPorts", address), port.guest()));
        }
        OptionalInt debug = OptionalInt.empty();
        if (request.debugPort().isPresent()) {
            PortForward agent = new PortForward(
                    request.debugPort().getAsInt(), request.image().debugPort());
            debug = OptionalInt.of(guest.forward(agent, "debug", address));
        }
        if (jmxPort.isPresent()) {
            // What the agent answers has its port in it, so that this machine needs the same one.
            PortForward agent = new PortForward(jmxPort.getAsInt(), jmxPort.getAsInt());
            if (!ports.contains(agent)) {
                guest.forward(agent, "jmx", address);
            }
        }
        if (request.gdbPort().isPresent()) {
            guest.serveGdb(request.gdbPort().getAsInt());
        }
        return new QemuBoot(guest, ports, debug, jmxPort);
    }

    /** Refuses a machine that cannot be made of the image. */
    public static void check(QemuRequest request) throws SettingException {
        checked(request);
    }

    private static QemuCommand checked(QemuRequest request) throws SettingException {
        checkPorts(request);
        checkForm(request);
        return command(request);
    }

    private static void checkPorts(QemuRequest request) throws SettingException {
        NetworkSetting network = request.image().network();
        if (!network.isPresent() && !request.ports().isEmpty()) {
            throw new SettingException(
                    "ports",
                    "The image was built without a network, so no port can be forwarded to it.",
                    "Build it with another -Dunikernel.network, or pass -Dunikernel.ports= with an empty value.");
        }
        if (request.gdbPort().isPresent() && request.firmware() != Firmware.NONE) {
            throw new SettingException(
                    "firmware",
                    "The firmware has the kernel's options read from the image, so gdb's 'nokaslr' cannot be added.",
                    "Leave out -Dunikernel.firmware or -Dunikernel.gdb.");
        }
        if (request.debugPort().isPresent() && request.image().debugPort() == 0) {
            throw new SettingException(
                    "debug",
                    "The image was made without the debugger agent.",
                    "Make it with -Dunikernel.debug too, as 'mvn unikernel:run -Dunikernel.debug' does.");
        }
    }

    private static void checkForm(QemuRequest request) throws SettingException {
        boolean uefi = request.image().uefi();
        if (request.firmware() == Firmware.UEFI && !uefi) {
            throw new SettingException(
                    "firmware",
                    "The image was not made for UEFI.",
                    "Make it with -Dunikernel.firmware=uefi too, as 'mvn unikernel:run -Dunikernel.firmware=uefi'"
                            + " does.");
        }
        if (request.firmware() == Firmware.BIOS && uefi) {
            throw new SettingException(
                    "firmware",
                    "The image was made for UEFI, and no BIOS boots it.",
                    "Use uefi or none, or make the image with -Dunikernel.firmware=bios.");
        }
    }

    /** What QEMU is asked for. */
    static QemuCommand command(QemuRequest request) throws SettingException {
        BuiltImage image = request.image();
        int memory = MachineMemory.checked(request.memory().orElse(image.memory()), image.executable() == null);
        String options = kernelOptions(request);
        return new QemuCommand(
                request.qemu(),
                request.accelerator().name(),
                memory,
                image.vcpus(),
                request.firmware(),
                request.firmware() == Firmware.UEFI ? Optional.of(Ovmf.beside(request.qemu())) : Optional.empty(),
                image.kernel(),
                options,
                image.image(),
                image.network(),
                image.scratchBytes(),
                request.data(),
                request.recording(),
                request.generation());
    }

    /** A debugger needs the kernel where its symbols are; a later word wins over an earlier one. */
    static String kernelOptions(QemuRequest request) {
        BuiltImage image = request.image();
        return (image.commandLine().text()
                        + (request.gdbPort().isPresent() ? " nokaslr" : "")
                        + request.configuration().map(file -> " conf=" + file).orElse(""))
                .strip();
    }
}
