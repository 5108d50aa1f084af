// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import java.nio.file.Path;
import java.util.Optional;

/**
 * The text of a configuration for {@code xl create} (xl.cfg(5)) that boots the kernel directly.
 *
 * @param name of the domain
 * @param kernel ELF file
 * @param image disk
 * @param memory in MiB
 * @param scratch file for the scratch disk, or empty for none
 * @param network whether the domain has a network device
 */
public record XenConfig(
        String name,
        Path kernel,
        Path image,
        KernelCommandLine commandLine,
        int memory,
        int vcpus,
        NetworkSetting network,
        Optional<Path> scratch) {

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
                        + (scratch.isPresent() ? " The scratch disk is for one domain." : ""),
                "disk = [ " + quoted("format=raw, vdev=xvda, access=ro, target=" + image)
                        + scratch.map(file -> ", " + quoted("format=raw, vdev=xvdb, access=rw, target=" + file))
                                .orElse("")
                        + " ]",
                "vif = [ " + (network.isPresent() ? "\"\"" : "") + " ]",
                "# The guest reads the time stamp counter itself; emulating it would cost a trap for each reading.",
                "tsc_mode = \"native\"",
                "on_poweroff = \"destroy\"",
                "on_reboot = \"restart\"",
                "on_crash = \"destroy\"",
                "");
    }

    private static String quoted(String value) {
        return "\"" + value + "\"";
    }
}
