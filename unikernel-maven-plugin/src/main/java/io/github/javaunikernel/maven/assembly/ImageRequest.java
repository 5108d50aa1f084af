// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.Kernel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * An image to make.
 *
 * @param name of the files that are made, without extension
 * @param directory they are made in
 * @param firmware what is to start the image
 * @param files directory that is copied into the image, or null
 * @param maxSize in MiB, 0 for any
 * @param time of everything in the image
 * @param licences of dependencies, by the origin of their jars
 */
public record ImageRequest(
        String name,
        Path directory,
        Application application,
        Machine machine,
        RuntimeChoice runtime,
        Kernel kernel,
        Firmware firmware,
        Path files,
        int maxSize,
        Instant time,
        Map<String, List<Licence>> licences) {

    /** The image. */
    public Path imageFile() {
        return directory.resolve(name + ".img");
    }

    /** The kernel beside it, for booting without a boot loader. */
    public Path kernelFile() {
        return directory.resolve(name + ".kernel");
    }

    /** The configuration for a Xen host. */
    public Path xenFile() {
        return directory.resolve(name + ".xl.cfg");
    }

    /** The scratch disk of a Xen host's domain. */
    public Path scratchFile() {
        return directory.resolve(name + ".scratch.img");
    }

    /** The description of all that is in the image. */
    public Path manifestFile() {
        return directory.resolve(name + ".unikernel.json");
    }

    /** The description of the last image with other contents. */
    public Path previousManifestFile() {
        return directory.resolve(name + ".unikernel.previous.json");
    }

    /** The bill of materials: what the image is made of, with versions and licences. */
    public Path billFile() {
        return directory.resolve(name + ".cdx.json");
    }
}
