// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** What the modules of a JDK hold, read from the JDK itself. Not safe for use by several threads. */
final class JdkIndex implements AutoCloseable {

    static final String BASE = "java.base";
    static final String CHARSETS = "jdk.charsets";
    /** The provider of the charsets that are not in java.base; it holds all their names and further names. */
    private static final String CHARSET_PROVIDER = "/modules/jdk.charsets/sun/nio/cs/ext/ExtendedCharsets.class";
    /** Format of class files of Java 9, the first with modules. */
    private static final int OLDEST_MODULE = 53;

    private final FileSystem classes;
    private final Set<String> modules;
    /** Packages with slashes; java.base, which is always there, is left out. */
    private final Map<String, List<String>> modulesOfPackage = new HashMap<>();

    private final Map<String, Set<String>> providersOfService = new TreeMap<>();
    private final Set<String> charsets;
    private final int longestCharset;

    JdkIndex(JavaHome jdk) throws IOException {
        modules = jdk.modules();
        classes = FileTrouble.on(
                jdk.path(),
                () -> FileSystems.newFileSystem(
                        URI.create("jrt:/"), Map.of("java.home", jdk.path().toString())));
        readPackages();
        readProviders();
        charsets = readCharsets();
        longestCharset = charsets.stream().mapToInt(String::length).max().orElse(0);
    }

    Set<String> modules() {
        return modules;
    }

    /**
     * The module besides java.base that has a class.
     *
     * @param name with slashes
     * @return null when it is in java.base or in no module
     */
    String owner(String name) {
        int slash = name.lastIndexOf('/');
        for (String module :
                slash <= 0 ? List.<String>of() : modulesOfPackage.getOrDefault(name.substring(0, slash), List.of())) {
            if (Files.exists(classes.getPath("/modules", module, name + ".class"))) {
                return module;
            }
        }
        return null;
    }

    /** Whether a package, with slashes, is in a module besides java.base. */
    boolean hasPackage(String name) {
        return modulesOfPackage.containsKey(name);
    }

    /** The modules that provide a service, whose name has slashes. */
    Set<String> providersOf(String service) {
        return providersOfService.getOrDefault(service, Set.of());
    }

    /** Whether a text is a name of a charset that is not in java.base. */
    boolean isExtendedCharset(String text) {
        return text.length() <= longestCharset && charsets.contains(text.toLowerCase(Locale.ROOT));
    }

    @Override
    public void close() throws IOException {
        classes.close();
    }

    /** Reads a module description of any version: newer ones have the same form as far as it is used here. */
    static ModuleDescriptor descriptor(InputStream in) throws IOException {
        byte[] bytes = in.readAllBytes();
        if (bytes.length < 8) {
            throw new DamagedException("it is not a module description");
        }
        bytes[6] = 0;
        bytes[7] = OLDEST_MODULE;
        try {
            return ModuleDescriptor.read(new ByteArrayInputStream(bytes));
        } catch (RuntimeException e) {
            throw new DamagedException("it is not a module description: " + e.getMessage(), e);
        }
    }

    /** A package is also listed for modules that only have packages below it; {@link #owner} looks for the class. */
    private void readPackages() throws IOException {
        try (var packages = Files.newDirectoryStream(classes.getPath("/packages"))) {
            for (Path directory : packages) {
                try (var links = Files.list(directory)) {
                    List<String> names = links.map(link -> link.getFileName().toString())
                            .filter(name -> !name.equals(BASE) && modules.contains(name))
                            .toList();
                    if (!names.isEmpty()) {
                        modulesOfPackage.put(directory.getFileName().toString().replace('.', '/'), names);
                    }
                }
            }
        }
    }

    private void readProviders() throws IOException {
        for (String module : modules) {
            Path description = classes.getPath("/modules", module, "module-info.class");
            if (!Files.exists(description)) {
                continue;
            }
            try (InputStream in = Files.newInputStream(description)) {
                descriptor(in)
                        .provides()
                        .forEach(provided -> providersOfService
                                .computeIfAbsent(provided.service().replace('.', '/'), key -> new TreeSet<>())
                                .add(module));
            }
        }
    }

    private Set<String> readCharsets() throws IOException {
        Path provider = classes.getPath(CHARSET_PROVIDER);
        Set<String> names = new HashSet<>();
        if (Files.exists(provider)) {
            try (InputStream in = Files.newInputStream(provider)) {
                for (String text : ClassFile.read(in).texts()) {
                    // Numbers alone and plain words are more often something else.
                    if (text.matches("(?i)(?=.*[a-z])(?=.*[0-9_-])[a-z0-9][a-z0-9_.:-]+")) {
                        names.add(text.toLowerCase(Locale.ROOT));
                    }
                }
            }
        }
        return names;
    }
}
