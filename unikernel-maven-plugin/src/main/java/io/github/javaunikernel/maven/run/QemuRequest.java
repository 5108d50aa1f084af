// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.boot.Firmware;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * An image to boot in QEMU.
 *
 * @param firmware what starts the guest
 * @param memory in MiB, or empty for what the image was made for
 * @param debugPort port of this machine for the JVM's debugger agent; 0 for a free one
 * @param gdbPort port of this machine for gdb, which then starts the guest
 * @param data the disks of the image whose files outlive the machine
 * @param recording file that the guest writes its class list to, or empty for an ordinary start
 * @param configuration file of the image that the kernel reads in place of the usual one, or empty for that
 * @param generation of a machine of which snapshots may be taken, or empty for another one
 */
public record QemuRequest(
        BuiltImage image,
        Firmware firmware,
        OptionalInt memory,
        Path qemu,
        Accelerator accelerator,
        List<PortForward> ports,
        OptionalInt debugPort,
        OptionalInt gdbPort,
        List<DataDrive> data,
        Optional<Path> recording,
        Optional<String> configuration,
        Optional<Generation> generation) {

    /** The same image, recording a start for an AOT cache on a disk. */
    public QemuRequest recordingOn(DataDrive disk) {
        List<DataDrive> disks = new ArrayList<>(data);
        disks.add(disk);
        return new QemuRequest(
                image,
                Firmware.NONE,
                memory,
                qemu,
                accelerator,
                ports,
                debugPort,
                gdbPort,
                List.copyOf(disks),
                Optional.empty(),
                Optional.of(image.trainingConfig()),
                Optional.empty());
    }

    /** The same image, recording its class list. The kernel gets the other configuration from QEMU's own loader. */
    public QemuRequest recordingTo(Path file) {
        return with(Firmware.NONE, ports, Optional.of(file), Optional.of(image.trainingConfig()), Optional.empty());
    }

    /** The same image, checking itself: with its check arguments, and without ports. */
    public QemuRequest checking() {
        return with(
                Firmware.NONE,
                List.of(),
                Optional.empty(),
                Optional.of(image.check().config()),
                Optional.empty());
    }

    /** The same machine, with free ports of this machine in place of those that were chosen. */
    public QemuRequest onFreePorts() {
        List<PortForward> free =
                ports.stream().map(port -> new PortForward(0, port.guest())).toList();
        return with(firmware, free, recording, configuration, generation);
    }

    /** The same machine, of which snapshots may be taken. */
    public QemuRequest of(Generation start) {
        return with(firmware, ports, recording, configuration, Optional.of(start));
    }

    private QemuRequest with(
            Firmware starter,
            List<PortForward> forwarded,
            Optional<Path> file,
            Optional<String> config,
            Optional<Generation> start) {
        return new QemuRequest(
                image, starter, memory, qemu, accelerator, forwarded, debugPort, gdbPort, data, file, config, start);
    }
}
