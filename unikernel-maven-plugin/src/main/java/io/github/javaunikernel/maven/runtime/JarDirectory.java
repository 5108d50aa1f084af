// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipInputStream;

/** A jar as a directory, which is how the plugin's own artifacts carry trees of files. */
final class JarDirectory {

    private JarDirectory() {}

    /**
     * Unpacks all of a jar into a directory that is not there yet, and nothing outside of it.
     *
     * @param parameter that names it, for messages
     */
    static void unpack(String parameter, Path jar, Path into) throws SettingException, IOException {
        Path directory = into.toAbsolutePath().normalize();
        Unpacking.run(parameter, jar, directory, "delete it", () -> unpackEntries(jar, directory));
    }

    private static void unpackEntries(Path jar, Path directory) throws IOException {
        // It compares checksums, which ZipFile does not.
        try (ZipInputStream in = new ZipInputStream(Files.newInputStream(jar))) {
            int entries = 0;
            for (ZipEntry entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                entries++;
                write(in, entry, directory.resolve(entry.getName()).normalize(), directory);
            }
            if (entries == 0) {
                throw new ZipException("it is no jar or an empty one");
            }
        }
    }

    private static void write(ZipInputStream in, ZipEntry entry, Path place, Path directory) throws IOException {
        if (!place.startsWith(directory)) {
            throw new ZipException(entry.getName() + " in it leads out of the jar");
        }
        if (entry.isDirectory()) {
            Files.createDirectories(place);
        } else {
            Files.createDirectories(place.getParent());
            FileTrouble.on(place, () -> Files.copy(in, place));
        }
    }
}
