// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * The projects that the archetype generates, those of the tests and the samples have versions of Maven plugins of their
 * own, since they inherit nothing. They are those of this build, so that a newer version is taken everywhere or
 * nowhere.
 */
class VersionsTest {

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final Pattern PLUGIN =
            Pattern.compile("<artifactId>(maven-[a-z]+-plugin)</artifactId>\\s*<version>([^<]+)</version>");
    private static final Set<String> PASSED_OVER = Set.of("target", ".git");

    @Test
    void everyProjectHasThePluginsOfThisBuild() throws IOException {
        Map<String, Set<String>> versions = new TreeMap<>();
        int projects = 0;
        for (Path file : projects()) {
            projects++;
            Matcher found = PLUGIN.matcher(Files.readString(file));
            while (found.find()) {
                versions.computeIfAbsent(found.group(1), plugin -> new TreeSet<>())
                        .add(resolved(found.group(2)));
            }
        }
        versions.values().removeIf(all -> all.size() == 1);
        assertEquals(Map.of(), versions);
        assertTrue(projects > 40, projects + " projects");
    }

    /** A property of this build, as {@code ${surefire.version}} or, in the projects of the invoker, within at signs. */
    private static String resolved(String version) throws IOException {
        Matcher property = Pattern.compile("\\$\\{(.+)}|@(.+)@").matcher(version);
        if (!property.matches()) {
            return version;
        }
        String name = property.group(1) == null ? property.group(2) : property.group(1);
        Matcher value = Pattern.compile("<" + Pattern.quote(name) + ">(.+?)<")
                .matcher(Files.readString(ROOT.resolve("pom.xml")));
        return value.find() ? value.group(1) : version;
    }

    private static List<Path> projects() throws IOException {
        List<Path> found = new ArrayList<>();
        Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                return PASSED_OVER.contains(directory.getFileName().toString())
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (file.getFileName().toString().equals("pom.xml")) {
                    found.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return found;
    }
}
