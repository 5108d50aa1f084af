// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.runtime.Jar;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.zip.ZipEntry;

/**
 * A jar that may hold others, as those of maven-shade-plugin and maven-assembly-plugin do: what it holds is not put
 * into the image a second time, where the second could even be another version.
 */
public final class UberJar {

    private final Set<String> entries;

    private UberJar(Set<String> entries) {
        this.entries = entries;
    }

    /** Looks at a jar. */
    public static UberJar of(Path jar) throws IOException {
        return new UberJar(entries(jar));
    }

    /**
     * Whether a dependency is in the jar: with every class of its, or, where classes were moved or left out, with what
     * Maven leaves in every jar it builds.
     *
     * @param groupId of the dependency
     */
    public boolean holds(Path dependency, String groupId, String artifactId) throws IOException {
        if (entries.contains("META-INF/maven/" + groupId + "/" + artifactId + "/pom.properties")) {
            return true;
        }
        List<String> files = entries(dependency).stream()
                .filter(name -> !name.startsWith("META-INF/") && !name.endsWith("module-info.class"))
                .toList();
        List<String> classes =
                files.stream().filter(name -> name.endsWith(".class")).toList();
        List<String> telling = classes.isEmpty() ? files : classes;
        return !telling.isEmpty() && entries.containsAll(telling);
    }

    private static Set<String> entries(Path jar) throws IOException {
        return Jar.read(
                jar,
                open -> open.stream()
                        .filter(entry -> !entry.isDirectory())
                        .map(ZipEntry::getName)
                        .collect(Collectors.toSet()));
    }
}
