// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.boot.Debugger;
import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.Jmx;
import io.github.javaunikernel.maven.run.Accelerator;
import io.github.javaunikernel.maven.run.BuiltImage;
import io.github.javaunikernel.maven.run.ChannelSocket;
import io.github.javaunikernel.maven.run.Console;
import io.github.javaunikernel.maven.run.DataDrive;
import io.github.javaunikernel.maven.run.MachineMemory;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.run.PortOption;
import io.github.javaunikernel.maven.run.Qemu;
import io.github.javaunikernel.maven.run.QemuRequest;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.plugins.annotations.Parameter;

/** The base of the goals that boot an image on this machine: the image, and QEMU's machine for it. */
abstract class AbstractQemuMojo extends AbstractImageFilesMojo {

    /** The build. */
    @Parameter(defaultValue = "${session}", readonly = true, required = true)
    MavenSession session;

    /**
     * Memory of the machine in MiB. The default is the memory for which the image was built.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.memory")
    private Integer memory;

    /**
     * TCP ports on which the program in the guest listens. The first one is part of the URL.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ports", defaultValue = "8080")
    private List<Integer> ports;

    /**
     * Ports on 127.0.0.1 that are forwarded to {@code ports}, in the same order, such as {@code 8081,0}; 0 for a free
     * port. By default {@code unikernel:run} uses the same numbers as in the guest, and {@code unikernel:start} uses
     * free ports.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.hostPorts")
    private List<Integer> hostPorts = List.of();

    /**
     * How QEMU executes the guest: by hardware virtualisation, which is {@code kvm} on Linux, {@code hvf} on macOS and
     * {@code whpx} on Windows; {@code tcg} (emulation); or {@code auto}, which uses the former if possible.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.accel", defaultValue = "auto")
    private String accel;

    /**
     * What starts the guest: {@code none} (QEMU loads the kernel itself), {@code bios} (QEMU's BIOS boots from the
     * image as from a disk, as on EC2's instances with hardware virtualisation), or {@code uefi} (OVMF boots from an
     * image that was made with the same setting). Only for QEMU.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.firmware", defaultValue = "none")
    private String firmware;

    /**
     * QEMU's program for x86-64, such as {@code /opt/qemu/bin/qemu-system-x86_64}. The default is
     * {@code qemu-system-x86_64} on the PATH, or where installers of the system put it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.qemu")
    private File qemu;

    /**
     * Port of this machine that is forwarded to the JVM's debugger agent, which {@code unikernel:image} adds to the
     * image if the same property is set. Without a value, the port is 5005; with another, such as {@code 5006}, it is
     * that one.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.debug")
    private String debug;

    /**
     * Directory with the files of data disks, each {@code LABEL.img}. A disk that is missing is made there, unless it
     * is read-only. {@code mvn clean} does not touch it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dataDirectory", defaultValue = "${project.basedir}/data")
    private File dataDirectory;

    /** Refuses values that no machine can have, before there is an image; returns the ports. */
    final List<PortForward> checkMachine() throws SettingException, IOException {
        firmware();
        Qemu.find(qemu, searchPath());
        Accelerator.choose(accel, Accelerator.Host.current());
        PortOption.parse("debug", debug, Debugger.PORT);
        if (memory != null) {
            MachineMemory.checked(memory, false);
        }
        return PortForward.pair(ports, hostPorts, true);
    }

    /** Describes what to boot, and logs which accelerator is used. */
    final QemuRequest request(boolean samePorts, OptionalInt gdbPort) throws SettingException, IOException {
        BuiltImage image = BuiltImage.find(directory(), fileName());
        Path program = Qemu.find(qemu, searchPath());
        Accelerator accelerator = Accelerator.choose(accel, Accelerator.Host.current());
        if (accelerator.warning()) {
            getLog().warn(accelerator.note());
        } else {
            getLog().info(accelerator.note());
        }
        return new QemuRequest(
                image,
                firmware(),
                memory(),
                program,
                accelerator,
                ports(samePorts),
                PortOption.parse("debug", debug, Debugger.PORT),
                gdbPort,
                drives(image),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    /** The ports of the guest, each with one of this machine: the same or a free one by default. */
    final List<PortForward> ports(boolean same) throws SettingException {
        return PortForward.pair(ports, hostPorts, same);
    }

    /** The data disks of an image, those that are missing made. */
    final List<DataDrive> drives(BuiltImage image) throws SettingException, IOException {
        return DataDrive.prepare(
                image.dataDisks(), dataDirectory.toPath().toAbsolutePath(), searchPath(), getLog()::info);
    }

    /** The socket of the channel to the guest that is started. */
    final Path channel() {
        return ChannelSocket.of(directory(), fileName());
    }

    @Override
    protected Map<String, File> fileParameters() {
        return qemu == null ? Map.of() : Map.of("qemu", qemu);
    }

    /** The directories in which to look for programs. */
    static String searchPath() {
        return Optional.ofNullable(System.getenv("PATH")).orElse("");
    }

    /** The terminal as the guest's console. */
    static Console console() {
        return new Console(text -> {
            System.out.print(text);
            System.out.flush();
        });
    }

    final Firmware firmware() throws SettingException {
        return Firmware.parse(firmware);
    }

    final OptionalInt memory() {
        return memory == null ? OptionalInt.empty() : OptionalInt.of(memory);
    }

    /** Whether a debugger is asked for. */
    final boolean isDebugged() {
        return debug != null;
    }

    final void announceDebugger(OptionalInt port) {
        port.ifPresent(number -> getLog().info("Attach the debugger to localhost:" + number));
    }

    final void announceJmx(OptionalInt port) {
        port.ifPresent(number -> getLog().info("JMX: " + Jmx.serviceUrl(number)));
    }

    /** Which modules of the build are made into images. */
    final Applications applications() {
        return new Applications(session.getProjects(), mojoExecution.getPlugin().getKey());
    }

    /**
     * Whether to skip this module, since images are made of other modules only.
     *
     * @param what the goal does, for the log, such as {@code run}
     */
    final boolean isPassedOver(String what) {
        boolean passed = applications().passOver(project);
        if (passed) {
            getLog().debug("Nothing to " + what + ": no image is made of this module");
        }
        return passed;
    }
}
