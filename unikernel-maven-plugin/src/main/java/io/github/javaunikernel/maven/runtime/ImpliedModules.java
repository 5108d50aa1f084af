package io.github.javaunikernel.maven.runtime;

import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Modules that work behind an API without being named by its callers: providers that the JDK loads as services. Without
 * them, programs build and start and then fail at the first use.
 */
final class ImpliedModules {

    /**
     * The beginning of a class name, and the module that stands behind it. Elliptic curves, without which no server of
     * today accepts a TLS connection, are in java.base only from Java 22 on.
     */
    private static final Map<String, String> MODULE_BEHIND = Map.of(
            "javax/net/ssl/", "jdk.crypto.ec",
            "java/net/http/HttpClient", "jdk.crypto.ec",
            "java/net/URLConnection", "jdk.crypto.ec",
            "java/security/KeyPairGenerator", "jdk.crypto.ec",
            "java/security/Signature", "jdk.crypto.ec",
            "java/nio/file/FileSystems", "jdk.zipfs");

    private ImpliedModules() {
    }

    static Set<String> of(Set<String> references) {
        Set<String> modules = new TreeSet<>();
        for (String reference : references) {
            MODULE_BEHIND.forEach((beginning, module) -> {
                if (reference.startsWith(beginning)) {
                    modules.add(module);
                }
            });
        }
        return modules;
    }
}
