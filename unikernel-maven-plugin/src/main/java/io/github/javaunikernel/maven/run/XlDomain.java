// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalInt;

/**
 * A domain to make of an image on the Xen host that this machine is. Its network device has an address of its own,
 * which xl makes up, also when it goes on from a file with the memory of another domain.
 *
 * @param name which no other domain of the host has
 * @param memory in MiB, or empty for that of the image's configuration
 */
public record XlDomain(BuiltImage image, String name, OptionalInt memory) {

    /** What a file with the memory of such a domain belongs to. */
    public MachineIdentity identity(Xl xl) throws IOException {
        return MachineIdentity.of(xl, this);
    }

    /** What makes the machine the same as that of another domain: its configuration without the name. */
    String machine() throws IOException {
        Path file = image.xenConfig();
        String own = memory.isPresent() ? "memory = " + memory.getAsInt() + "\n" : "";
        return FileTrouble.on(file, () -> Files.readString(file)) + own;
    }

    /**
     * A configuration (xl.cfg(5)) in a file that only this user can read. Of several lines for one key, xl takes the
     * last. A domain that has shut down is kept, so that whoever watches it can look at its end.
     */
    Path write() throws IOException {
        Path file = Files.createTempFile("unikernel.", ".xl.cfg");
        String text = machine()
                + "name = \"" + name + "\"\n"
                + "on_poweroff = \"preserve\"\n"
                + "on_reboot = \"preserve\"\n"
                + "on_crash = \"preserve\"\n";
        return FileTrouble.on(file, () -> Files.writeString(file, text));
    }
}
