package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.boot.Debugger;
import io.github.javaunikernel.maven.run.Accelerator;
import io.github.javaunikernel.maven.run.BuiltImage;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.run.PortOption;
import io.github.javaunikernel.maven.run.Qemu;
import io.github.javaunikernel.maven.run.QemuRequest;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.maven.plugins.annotations.Parameter;

/** What the goals that boot an image on this machine have in common: the image, and QEMU's machine for it. */
abstract class AbstractQemuMojo extends AbstractImageFilesMojo {

    /**
     * Memory of the machine in MiB. By default what the image was made for.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.memory")
    private Integer memory;

    /**
     * TCP ports of the guest that lead to its program; the first one is in the URL.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ports", defaultValue = "8080")
    private List<Integer> ports;

    /**
     * Ports of this machine, on 127.0.0.1, that lead to {@code ports}, in the same order; 0 for a free one. By default
     * {@code unikernel:run} takes the same numbers as in the guest and {@code unikernel:start} free ones.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.hostPorts")
    private List<Integer> hostPorts = List.of();

    /**
     * What runs the guest's instructions: {@code kvm} (hardware virtualisation), {@code tcg} (emulation), or
     * {@code auto} for KVM where it can be used.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.accel", defaultValue = "auto")
    private String accel;

    /**
     * QEMU's program for x86-64. By default {@code qemu-system-x86_64} on the PATH.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.qemu")
    private File qemu;

    /**
     * Connects the JVM's debugger agent, which {@code unikernel:image} puts into the image under the same property, with
     * this port of this machine; without a value 5005.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.debug")
    private String debug;

    /** What to boot; the line about the accelerator is logged. */
    final QemuRequest request(boolean samePorts, OptionalInt gdbPort) throws SettingException, IOException {
        BuiltImage image = BuiltImage.find(directory(), fileName());
        Path program = Qemu.find(qemu, searchPath());
        Accelerator accelerator = Accelerator.choose(accel, Accelerator.Host.current());
        if (accelerator.warning()) {
            getLog().warn(accelerator.note());
        } else {
            getLog().info(accelerator.note());
        }
        return new QemuRequest(image, memory(), program, accelerator, PortForward.pair(ports, hostPorts, samePorts),
                PortOption.parse("debug", debug, Debugger.PORT), gdbPort);
    }

    /** Where programs are looked for. */
    static String searchPath() {
        return Optional.ofNullable(System.getenv("PATH")).orElse("");
    }

    final OptionalInt memory() {
        return memory == null ? OptionalInt.empty() : OptionalInt.of(memory);
    }

    final void announceDebugger(OptionalInt port) {
        port.ifPresent(number -> getLog().info("Attach the debugger to localhost:" + number));
    }
}
