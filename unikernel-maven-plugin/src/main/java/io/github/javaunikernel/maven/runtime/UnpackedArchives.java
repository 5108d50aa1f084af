// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;

/**
 * JDKs and Linux systems that come in an archive, a tar.gz or zip. Each is unpacked into the cache once; the key is the
 * archive's checksum.
 */
public final class UnpackedArchives {

    private static final String JDK = "jdkHome";
    private static final String SYSTEM = "sysroot";
    /** Below the top: {@code jdk-21/release}, and one level more for those who pack with a directory of their own. */
    private static final int DEPTH = 3;

    private final RuntimeCache cache;

    /**
     * Keeps them in a directory.
     *
     * @param limit for the size of all that is kept there in bytes, 0 for none
     */
    public UnpackedArchives(Path directory, long limit) {
        cache = new RuntimeCache(directory, limit);
    }

    /**
     * The home of a JDK, as vendors pack it.
     *
     * @param checksum that the archive must have: SHA-256 in hexadecimal, or nothing
     */
    public Path jdk(Path archive, Optional<String> checksum) throws SettingException, IOException {
        String found = checksum(JDK, archive);
        if (checksum.isPresent() && !checksum.get().equalsIgnoreCase(found)) {
            throw new SettingException(
                    "jdkChecksum",
                    archive + " has the SHA-256 " + found + ".",
                    "Download it again, or correct the checksum if it is another version.");
        }
        Path content = cache.get(RuntimeCache.Kind.JDK, found, directory -> {
                    new Archive(JDK, archive).unpack(directory);
                    home(archive, directory);
                })
                .path();
        return home(archive, content);
    }

    /** The root directory of a Linux system. */
    public Path system(Path archive) throws SettingException, IOException {
        return cache.get(RuntimeCache.Kind.SYSTEM, checksum(SYSTEM, archive), directory -> {
                    if (isJar(archive)) {
                        JarDirectory.unpack(SYSTEM, archive, directory);
                    } else {
                        new Archive(SYSTEM, archive).unpack(directory);
                    }
                })
                .path();
    }

    /** Whether a file is a jar, which has no links or permissions and is unpacked without the library for archives. */
    public static boolean isJar(Path archive) {
        return archive.getFileName().toString().endsWith(".jar");
    }

    private static String checksum(String parameter, Path archive) throws SettingException, IOException {
        if (!Files.isRegularFile(archive)) {
            throw new SettingException(
                    parameter,
                    "There is no " + archive + ".",
                    "Name a directory, a tar.gz, a zip, or the coordinates of an artifact.");
        }
        return FileTrouble.on(archive, () -> Checksum.of(archive));
    }

    /** The directory with the file {@code release} that is nearest to the top. */
    private static Path home(Path archive, Path content) throws SettingException, IOException {
        try (var files = Files.find(
                content, DEPTH, (path, attributes) -> path.endsWith("release") && attributes.isRegularFile())) {
            return files.min(Comparator.comparing(Path::getNameCount))
                    .map(Path::getParent)
                    .orElseThrow(() -> new SettingException(
                            JDK,
                            archive + " has no JDK in it: there is no file 'release'.",
                            "Name an archive of a JDK for Linux on x86-64."));
        }
    }
}
