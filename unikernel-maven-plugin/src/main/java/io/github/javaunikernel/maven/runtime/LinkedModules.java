// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleDescriptor.Requires;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * The modules of a linked runtime.
 *
 * @param bytes of each module's classes and resources, before they are compressed
 * @param requirers for each module that others require, the first of those by name
 */
public record LinkedModules(Map<String, Long> bytes, Map<String, String> requirers) {

    /** Reads them from a runtime. */
    public static LinkedModules of(Path runtime) throws IOException {
        return FileTrouble.on(runtime, () -> {
            try (FileSystem classes =
                    FileSystems.newFileSystem(URI.create("jrt:/"), Map.of("java.home", runtime.toString()))) {
                return read(classes.getPath("/modules"));
            }
        });
    }

    private static LinkedModules read(Path modules) throws IOException {
        Map<String, Long> bytes = new TreeMap<>();
        Map<String, String> requirers = new TreeMap<>();
        try (var directories = Files.list(modules)) {
            for (Path module : directories.sorted().toList()) {
                String name = module.getFileName().toString();
                bytes.put(name, size(module));
                try (InputStream description = Files.newInputStream(module.resolve("module-info.class"))) {
                    JdkIndex.descriptor(description).requires().stream()
                            .filter(LinkedModules::isAlways)
                            .forEach(required -> requirers.putIfAbsent(required.name(), name));
                }
            }
        }
        return new LinkedModules(bytes, requirers);
    }

    private static boolean isAlways(Requires required) {
        return !required.modifiers().contains(ModuleDescriptor.Requires.Modifier.STATIC);
    }

    private static long size(Path module) throws IOException {
        long size = 0;
        try (var files = Files.walk(module)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (Files.isRegularFile(file)) {
                    size += Files.size(file);
                }
            }
        }
        return size;
    }

    /**
     * Why each of the modules is there.
     *
     * @param wanted the reasons of those that the runtime was linked for
     */
    public Map<String, String> reasons(Map<String, String> wanted) {
        Map<String, String> reasons = new TreeMap<>();
        for (String module : bytes.keySet()) {
            reasons.put(module, wanted.getOrDefault(module, "required by " + requirers.get(module)));
        }
        return reasons;
    }
}
