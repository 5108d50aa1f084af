// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import com.github.packageurl.MalformedPackageURLException;
import com.github.packageurl.PackageURL;
import io.github.javaunikernel.maven.runtime.SystemPackages.SystemPackage;
import java.util.Map;
import java.util.TreeMap;

/** Package URLs, by which scanners find what is known about a component (the purl specification). */
final class PackageUrls {

    private PackageUrls() {}

    /**
     * That of a Maven artifact.
     *
     * @param parts of its id: group, artifact, type, perhaps a classifier, version
     */
    static String ofArtifact(String... parts) {
        TreeMap<String, String> qualifiers = new TreeMap<>(Map.of("type", parts[2]));
        if (parts.length > 4) {
            qualifiers.put("classifier", parts[3]);
        }
        return url("maven", parts[0], parts[1], parts[parts.length - 1], qualifiers);
    }

    /** That of a package of Debian or a system like it. */
    static String of(SystemPackage owner) {
        TreeMap<String, String> qualifiers = new TreeMap<>(Map.of("arch", owner.architecture()));
        return url("deb", owner.system(), owner.name(), owner.version(), qualifiers);
    }

    private static String url(
            String type, String namespace, String name, String version, TreeMap<String, String> qualifiers) {
        try {
            return new PackageURL(type, namespace, name, version, qualifiers, null).canonicalize();
        } catch (MalformedPackageURLException e) {
            throw new IllegalStateException("The type of a package URL is one of its specification", e);
        }
    }
}
