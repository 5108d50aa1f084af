// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * The machine that QEMU is asked for: stopped before the guest's first instruction, QMP and the guest's reports on a
 * socket each, its console on standard output. The image is the disk and is never changed. Ports are forwarded by QMP,
 * which says which of them cannot be had.
 *
 * @param accelerator as QEMU calls it
 * @param ovmf QEMU's firmware in place of its BIOS
 * @param kernelOptions for QEMU's own loader; boot code finds them in the image
 * @param memory in MiB
 * @param scratchBytes size of a second disk, which is empty at the start and gone at the end; 0 for none
 * @param data disks that keep what the guest writes
 * @param recording what the program writes to a serial port of its own, or empty for no such port
 * @param generation of a machine of which snapshots may be taken, or empty
 */
public record QemuCommand(
        Path qemu,
        String accelerator,
        int memory,
        int vcpus,
        Firmware firmware,
        Optional<Ovmf> ovmf,
        Path kernel,
        String kernelOptions,
        Path image,
        NetworkSetting network,
        long scratchBytes,
        List<DataDrive> data,
        Optional<Path> recording,
        Optional<Generation> generation) {

    /** Name of the network of the guest in QMP. */
    static final String NETWORK = "net";

    /**
     * All words of the command.
     *
     * @param control the socket that QEMU connects to for QMP
     * @param reports the one for what the guest's kernel reports
     * @param channel the socket that QEMU makes for requests to the guest's kernel, with one for other programs' QMP
     *     beside it, or empty for neither
     */
    List<String> words(Path control, Path reports, Optional<Path> channel) {
        // spotless:off
        List<String> words = new ArrayList<>(List.of(
                qemu.toString(), "-S", "-nodefaults", "-no-user-config", "-display", "none",
                "-machine", "q35", "-accel", accelerator, "-cpu", "max", "-m", String.valueOf(memory),
                "-smp", cpus(),
                "-chardev", "socket,id=control,path=" + escaped(control), "-mon", "chardev=control,mode=control",
                "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
                "-chardev", "socket,id=reports,path=" + escaped(reports), "-serial", "chardev:reports",
                // A panic ends QEMU with a status of its own, a reboot ends it too.
                "-device", "isa-debug-exit,iobase=0x501", "-no-reboot",
                "-object", "rng-builtin,id=random",
                "-device", "virtio-rng-pci,rng=random,disable-legacy=on",
                "-drive", "id=root,if=none,format=raw,snapshot=on,file=" + escaped(image),
                "-device", "virtio-blk-pci,drive=root,disable-legacy=on"));
        // spotless:on
        if (scratchBytes > 0) {
            // Zeros, over which QEMU lays a temporary file that it has already unlinked.
            Collections.addAll(
                    words,
                    "-drive",
                    "id=scratch,if=none,format=raw,snapshot=on,file.driver=null-co,file.read-zeroes=on,file.size="
                            + scratchBytes,
                    "-device",
                    "virtio-blk-pci,drive=scratch,disable-legacy=on");
        }
        for (int i = 0; i < data.size(); i++) {
            DataDrive drive = data.get(i);
            Collections.addAll(
                    words,
                    "-drive",
                    "id=data" + i + ",if=none,format=raw,readonly=" + (drive.readOnly() ? "on" : "off") + ",file="
                            + escaped(drive.file()),
                    "-device",
                    "virtio-blk-pci,drive=data" + i + ",disable-legacy=on");
        }
        recording.ifPresent(file -> Collections.addAll(
                words, "-chardev", "file,id=recording,path=" + escaped(file), "-serial", "chardev:recording"));
        channel.ifPresent(socket -> Collections.addAll(
                words,
                "-chardev",
                "socket,id=channel,server=on,wait=off,path=" + escaped(socket),
                "-device",
                "virtio-serial-pci,max_ports=1,disable-legacy=on",
                "-device",
                "virtconsole,chardev=channel",
                "-qmp",
                "unix:" + escaped(ChannelSocket.monitorOf(socket)) + ",server=on,wait=off"));
        generation.ifPresent(start -> words.addAll(List.of("-device", "vmgenid,guid=" + start.identifier())));
        generation.flatMap(Generation::memory).ifPresent(file -> words.addAll(List.of("-incoming", "defer")));
        // What the firmware writes to its variables is dropped, too.
        ovmf.ifPresent(files -> Collections.addAll(
                words,
                "-drive",
                "if=pflash,format=raw,readonly=on,file=" + escaped(files.code()),
                "-drive",
                "if=pflash,format=raw,snapshot=on,file=" + escaped(files.variables())));
        if (firmware == Firmware.NONE) {
            Collections.addAll(words, "-kernel", kernel.toString(), "-append", kernelOptions);
        }
        if (network.isPresent()) {
            Collections.addAll(
                    words,
                    "-netdev",
                    "user,id=" + NETWORK + UserNetwork.options(network),
                    "-device",
                    "virtio-net-pci,netdev=" + NETWORK + ",disable-legacy=on");
        }
        return words;
    }

    /**
     * For a machine that cannot have a second CPU, QEMU's translator leaves out memory barriers, although the devices
     * run in another thread: the guest and its network card then miss each other's notifications now and then, and wait
     * for ever. So an emulated machine could have a second one.
     */
    private String cpus() {
        return vcpus == 1 && accelerator.startsWith("tcg") ? "1,maxcpus=2" : String.valueOf(vcpus);
    }

    /** A comma ends an option of QEMU; a doubled one does not. */
    private static String escaped(Path path) {
        return path.toString().replace(",", ",,");
    }
}
