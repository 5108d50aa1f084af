// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The text of a configuration for {@code xl create} (xl.cfg(5)) that boots the kernel directly.
 *
 * @param name of the domain
 * @param kernel ELF file
 * @param image disk
 * @param memory in MiB
 * @param scratch file for the scratch disk, or empty for none
 * @param dataDirectory with the files of the data disks
 * @param network whether the domain has a network device
 * @param channel socket of the host's channel, which the device model makes, or empty for none
 */
public record XenConfig(
        String name,
        Path kernel,
        Path image,
        KernelCommandLine commandLine,
        int memory,
        int vcpus,
        NetworkSetting network,
        Optional<Path> scratch,
        List<DataDisk> dataDisks,
        Path dataDirectory,
        Optional<Path> channel) {

    /** The whole text. */
    public String text() {
        return String.join(
                "\n",
                "# Start with: xl create -c " + name + ".xl.cfg",
                "name = " + quoted(name),
                "type = \"pv\"",
                "kernel = " + quoted(kernel.toString()),
                "extra = " + quoted(commandLine.text()),
                "memory = " + memory,
                "vcpus = " + vcpus,
                "# The image is never written, so several domains can share it."
                        + (scratch.isPresent() ? " The scratch disk is for one domain." : "")
                        + waysToMakeDisks(),
                "disk = [ " + quoted("format=raw, vdev=xvda, access=ro, target=" + image)
                        + scratch.map(file -> ", " + quoted("format=raw, vdev=xvdb, access=rw, target=" + file))
                                .orElse("")
                        + drives()
                        + " ]",
                "vif = [ " + (network.isPresent() ? "\"\"" : "") + " ]" + channelLine(),
                "# The guest reads the time stamp counter itself; emulating it would cost a trap for each reading.",
                "tsc_mode = \"native\"",
                "on_poweroff = \"destroy\"",
                "on_reboot = \"restart\"",
                "on_crash = " + quoted(commandLine.keepsCrashed() ? "preserve" : "destroy"),
                "");
    }

    /**
     * The second name is that for which the kernel looks (guest-kernel, drivers/xen/channel.c). The xl of Xen 4.17
     * gives the first channel the number of the console, and then refuses it.
     */
    private String channelLine() {
        return channel.map(
                        socket -> "\n# Whoever may use this socket has the program; unikernel:dump and others use it.\n"
                                + "# Some versions of xl refuse the first channel, so that is not the one in use.\n"
                                + "channel = [ " + quoted("name=unused,connection=pty") + ", "
                                + quoted("name=unikernel,connection=socket,path=" + socket) + " ]")
                .orElse("");
    }

    /** What a data disk needs; unikernel:run makes those that are missing. */
    private String waysToMakeDisks() {
        return dataDisks.stream()
                .map(disk -> "\n# " + DataDisk.file(dataDirectory, disk) + " is for "
                        + (disk.readOnly() ? "reading" : "one domain") + "; to make it: mke2fs -t ext2 -L "
                        + disk.label()
                        + " FILE SIZE")
                .collect(Collectors.joining());
    }

    /** xvdb is the scratch disk's, here or on another machine. */
    private String drives() {
        return IntStream.range(0, dataDisks.size())
                .mapToObj(i -> ", "
                        + quoted("format=raw, vdev=xvd" + (char) ('c' + i) + ", access="
                                + (dataDisks.get(i).readOnly() ? "ro" : "rw") + ", target="
                                + DataDisk.file(dataDirectory, dataDisks.get(i))))
                .collect(Collectors.joining());
    }

    /** As xl reads strings: a backslash quotes, and one line is one string. */
    private static String quoted(String value) {
        return "\"" + value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + "\"";
    }
}
