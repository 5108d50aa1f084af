// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The directories of the image that programs expect to be writable: the working directory and the home. What the image
 * has there can be read and changed; changes are kept in memory.
 */
final class WritableDirectories {

    /** What the kernel keeps in memory, or makes up, in every guest. */
    private static final List<String> WITHOUT_FILES_OF_THE_IMAGE =
            List.of("/tmp", "/run", "/var/tmp", "/dev", "/proc", "/sys");

    private final List<String> empty;
    private final Consumer<String> warnings;
    private final List<String> found = new ArrayList<>(List.of(Paths.APPLICATION));

    /**
     * Starts with the working directory.
     *
     * @param mounted further directories whose content in the image is hidden
     * @param warnings gets one line on what cannot be made writable
     */
    WritableDirectories(List<String> mounted, Consumer<String> warnings) {
        empty = new ArrayList<>(WITHOUT_FILES_OF_THE_IMAGE);
        empty.addAll(mounted);
        this.warnings = warnings;
    }

    /** Adds a home, such as the value of HOME; nothing where it is writable anyway. */
    WritableDirectories addHome(String home) {
        String path = withoutSlashesAtTheEnd(home);
        Optional<String> hiding =
                empty.stream().filter(directory -> isIn(path, directory)).findFirst();
        if (!path.startsWith("/") || path.chars().anyMatch(Character::isWhitespace)) {
            warnings.accept("The home directory '" + home + "' is not writable, since only an absolute path without"
                    + " spaces can be. Give HOME such a path, or leave it out for /home.");
        } else if (hiding.isPresent() && !hiding.get().equals(path)) {
            warnings.accept("The home directory " + path + " does not exist when the program starts, since "
                    + hiding.get() + " is empty then. Give HOME another path, or leave it out for /home.");
        } else if (hiding.isEmpty() && found.stream().noneMatch(directory -> isIn(path, directory))) {
            found.add(path);
        }
        return this;
    }

    /**
     * Adds the home of user 0 in a file such as {@code /etc/passwd} (passwd(5)), which is the JVM's {@code user.home}.
     */
    WritableDirectories addHomeIn(Path passwordFile) throws IOException {
        for (String line : FileTrouble.on(passwordFile, () -> Files.readAllLines(passwordFile))) {
            String[] fields = line.split(":", -1);
            if (fields.length > 5 && fields[2].equals("0") && !fields[5].isEmpty()) {
                return addHome(fields[5]);
            }
        }
        return this;
    }

    /** All of them, without those that are in another. */
    List<String> paths() {
        return List.copyOf(found);
    }

    private static boolean isIn(String path, String directory) {
        return path.equals(directory) || path.startsWith(directory + "/");
    }

    private static String withoutSlashesAtTheEnd(String path) {
        return path.replaceFirst("/+$", "");
    }
}
