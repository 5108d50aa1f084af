// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.javaunikernel.maven.runtime.SystemPackages.SystemPackage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SystemPackagesTest {

    @TempDir
    private Path root;

    @Test
    void filesBelongToThePackagesWhoseListsNameThem() throws Exception {
        write("etc/os-release", "NAME=\"Some Linux\"\nID=\"some\"\n");
        write("var/lib/dpkg/status", """
                Package: libc6
                Status: install ok installed
                Architecture: amd64
                Version: 2.36-9
                Description: a library
                 Version: of another line

                Package: fonts
                Architecture: all
                Version: 1:3
                """);
        write("var/lib/dpkg/info/libc6:amd64.list", "/.\n/lib\n/lib/libc.so.6\n");
        write("var/lib/dpkg/info/fonts.list", "/usr/share/fonts/f.ttf\n");
        assertEquals(
                Map.of(
                        "/usr/lib/libc.so.6",
                        new SystemPackage("some", "libc6", "2.36-9", "amd64"),
                        "/usr/share/fonts/f.ttf",
                        new SystemPackage("some", "fonts", "1:3", "all")),
                owners("/usr/lib/libc.so.6", "/usr/share/fonts/f.ttf", "/usr/lib/own.so"));
    }

    @Test
    void otherSystemsHaveNoKnownPackages() throws Exception {
        assertEquals(Map.of(), owners("/usr/lib/libc.so.6"));
    }

    private Map<String, SystemPackage> owners(String... files) throws IOException {
        return new SystemPackages(root).owners(List.of(files));
    }

    private void write(String file, String text) throws IOException {
        Files.createDirectories(root.resolve(file).getParent());
        Files.writeString(root.resolve(file), text);
    }
}
