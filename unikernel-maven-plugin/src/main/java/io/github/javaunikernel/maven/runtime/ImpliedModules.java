package io.github.javaunikernel.maven.runtime;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Modules that work behind an API without being named by its callers: providers that the JDK loads as services. They
 * are recognised by a name in the class files. Without them, programs build and start and then fail at the first use.
 */
final class ImpliedModules {

    /**
     * What a class mentions, and the module that stands behind it. Elliptic curves, without which no server of today
     * accepts a TLS connection, are in java.base only from Java 22 on.
     */
    private static final Map<String, String> MODULE_OF_MENTION = Map.of(
            "javax/net/ssl/", "jdk.crypto.ec",
            "java/net/http/HttpClient", "jdk.crypto.ec",
            "java/net/HttpURLConnection", "jdk.crypto.ec",
            "java/security/KeyPairGenerator", "jdk.crypto.ec",
            "java/security/Signature", "jdk.crypto.ec",
            "java/nio/file/FileSystems", "jdk.zipfs");

    private ImpliedModules() {
    }

    static Set<String> of(List<Path> jars) throws IOException {
        Set<String> modules = new TreeSet<>();
        for (Path jar : jars) {
            try (ZipFile zip = new ZipFile(jar.toFile())) {
                scan(zip, modules);
            }
        }
        return modules;
    }

    private static void scan(ZipFile jar, Set<String> modules) throws IOException {
        Enumeration<? extends ZipEntry> entries = jar.entries();
        while (entries.hasMoreElements()) {
            ZipEntry entry = entries.nextElement();
            if (!entry.getName().endsWith(".class")) {
                continue;
            }
            try (InputStream in = jar.getInputStream(entry)) {
                // Names in a class file are UTF-8; one byte a character finds the ASCII ones.
                String bytes = new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
                MODULE_OF_MENTION.forEach((mention, module) -> {
                    if (bytes.contains(mention)) {
                        modules.add(module);
                    }
                });
            }
        }
    }
}
