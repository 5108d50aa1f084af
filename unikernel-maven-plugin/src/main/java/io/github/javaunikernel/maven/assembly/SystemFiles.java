// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.image.FileContent;
import io.github.javaunikernel.maven.image.ImageException;
import io.github.javaunikernel.maven.image.ImageTree;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** The few files that a C library and a JVM expect of any Linux system; the user's own take their place. */
final class SystemFiles {

    private static final String ORIGIN = "generated";
    /** Mount points of the kernel, and where programs expect a directory. */
    private static final List<String> DIRECTORIES =
            List.of("/tmp", "/run", "/proc", "/sys", "/dev", "/var/tmp", "/home");

    private SystemFiles() {}

    static void add(ImageTree tree) throws ImageException {
        for (String directory : DIRECTORIES) {
            tree.directory(directory);
        }
        addText(tree, "/etc/passwd", "root:x:0:0:root:/home:/sbin/nologin\n");
        addText(tree, "/etc/group", "root:x:0:\n");
        addText(tree, "/etc/host.conf", "multi on\n");
        addText(tree, "/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\nnetworks: files\n");
        addText(
                tree,
                "/etc/os-release",
                "NAME=\"Java Unikernel\"\nID=javaunikernel\n" + "PRETTY_NAME=\"Java Unikernel\"\n");
        if (!tree.holdsFile("/etc/localtime")) {
            tree.file("/etc/localtime", FileContent.of(universalTime()), 0644, ORIGIN);
        }
        // The kernel writes there what DHCP or the configuration says.
        addLink(tree, "/etc/resolv.conf", "/run/resolv.conf");
        addLink(tree, "/etc/hosts", "/run/hosts");
        // Where the JDK looks for the file stores.
        addLink(tree, "/etc/mtab", "/proc/self/mounts");
    }

    private static void addLink(ImageTree tree, String path, String target) throws ImageException {
        if (!tree.holdsFile(path)) {
            tree.symbolicLink(path, target, ORIGIN);
        }
    }

    private static void addText(ImageTree tree, String path, String text) throws ImageException {
        if (!tree.holdsFile(path)) {
            tree.file(path, FileContent.of(text), 0644, ORIGIN);
        }
    }

    /** Universal time as a time zone file of version 2 (RFC 8536): both its blocks with one type and no transition. */
    private static byte[] universalTime() {
        ByteBuffer out = ByteBuffer.allocate(2 * (44 + 6 + 4) + 6);
        for (int block = 0; block < 2; block++) {
            out.put("TZif2".getBytes(StandardCharsets.US_ASCII)).put(new byte[15]);
            out.putInt(0).putInt(0).putInt(0).putInt(0).putInt(1).putInt(4);
            out.putInt(0).put((byte) 0).put((byte) 0);
            out.put("UTC\0".getBytes(StandardCharsets.US_ASCII));
        }
        out.put("\nUTC0\n".getBytes(StandardCharsets.US_ASCII));
        return out.array();
    }
}
