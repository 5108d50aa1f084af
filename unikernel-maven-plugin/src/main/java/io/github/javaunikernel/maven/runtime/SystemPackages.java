// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which package of the system a file belongs to, as the database of dpkg says: {@code info/PACKAGE.list} has the files
 * of a package, {@code status} its version (deb-control(5)). Systems with other package managers have no such database,
 * and their files no known package.
 */
public final class SystemPackages {

    private static final String DATABASE = "var/lib/dpkg";
    private static final String LIST = ".list";

    /**
     * An installed package.
     *
     * @param system that it is of, such as {@code debian} (ID in os-release(5))
     */
    public record SystemPackage(String system, String name, String version, String architecture) {}

    private final Path database;
    private final String system;

    /** The packages of the system with this root directory. */
    public SystemPackages(Path root) throws IOException {
        database = root.resolve(DATABASE);
        Path release = root.resolve("etc/os-release");
        system = Files.isRegularFile(release) ? id(release) : "linux";
    }

    private static String id(Path release) throws IOException {
        return lines(release).stream()
                .filter(line -> line.startsWith("ID="))
                .map(line -> line.substring(3).replace("\"", "").strip())
                .findFirst()
                .orElse("linux");
    }

    /** Names of files may have any bytes. */
    private static List<String> lines(Path file) throws IOException {
        return FileTrouble.on(file, () -> Files.readAllLines(file, StandardCharsets.ISO_8859_1));
    }

    /** The packages of those of the files that belong to one, by absolute path. */
    public Map<String, SystemPackage> owners(Collection<String> files) throws IOException {
        Map<String, SystemPackage> owners = new TreeMap<>();
        if (files.isEmpty() || !Files.isDirectory(database.resolve("info"))) {
            return owners;
        }
        Map<String, String> wanted = new HashMap<>();
        files.forEach(file -> wanted.put(merged(file), file));
        Map<String, SystemPackage> installed = installed();
        try (var lists = Files.newDirectoryStream(database.resolve("info"), "*" + LIST)) {
            for (Path list : lists) {
                String name = list.getFileName().toString().replace(LIST, "");
                for (String line : lines(list)) {
                    Optional.ofNullable(wanted.get(merged(line)))
                            .ifPresent(file -> owners.computeIfAbsent(file, key -> installed.get(name)));
                }
            }
        }
        return owners;
    }

    /** Systems that have merged /lib into /usr/lib have packages that name either. */
    private static String merged(String path) {
        return path.startsWith("/usr/lib") ? path.substring("/usr".length()) : path;
    }

    /** By the name of the list: that of the package, with the architecture where several can be installed. */
    private Map<String, SystemPackage> installed() throws IOException {
        Map<String, SystemPackage> installed = new HashMap<>();
        Map<String, String> fields = new HashMap<>();
        for (String line : lines(database.resolve("status"))) {
            int colon = line.indexOf(": ");
            if (line.isEmpty()) {
                add(installed, fields);
                fields.clear();
            } else if (colon > 0 && !line.startsWith(" ")) {
                fields.put(line.substring(0, colon), line.substring(colon + 2));
            }
        }
        add(installed, fields);
        return installed;
    }

    private void add(Map<String, SystemPackage> installed, Map<String, String> fields) {
        String name = fields.get("Package");
        if (name != null) {
            String architecture = fields.get("Architecture");
            SystemPackage found = new SystemPackage(system, name, fields.get("Version"), architecture);
            installed.put(name + ":" + architecture, found);
            installed.put(name, found);
        }
    }
}
