// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.report;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import io.github.javaunikernel.maven.image.ImageEntry;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What {@code NAME.unikernel.json} says about an image, as far as a report shows it. */
record ImageManifest(
        String name,
        String created,
        Image image,
        Kernel kernel,
        Jdk jdk,
        Application application,
        Machine machine,
        Map<String, Long> parts,
        List<Content> files) {

    /** The file. */
    record Image(String file, long size, String uuid) {}

    /** The guest kernel. */
    record Kernel(String version, String options) {}

    /** The JDK that the runtime is linked of; null where the program is an executable. */
    record Jdk(
            String version,
            String vendor,
            Map<String, String> modules,
            Map<String, String> moduleReasons,
            Map<String, Long> moduleBytes) {}

    /** The program: a main class or an executable, the other of the two is null. */
    record Application(String mainClass, String executable, int debugPort, int jmxPort) {}

    /** The machine that the image was made for. */
    record Machine(int memory, int vcpus, String network, String hostname, long scratchBytes) {}

    /** A node of the image. */
    record Content(
            String path,
            String type,
            String mode,
            long size,
            String origin,
            String sha256,
            String target,
            String reason) {

        ImageEntry entry() {
            return new ImageEntry(path, type, Integer.parseInt(mode, 8), size, sha256, target, null);
        }
    }

    /** Reads a manifest. */
    static ImageManifest read(Path file) throws IOException {
        String text = FileTrouble.on(file, () -> Files.readString(file));
        try {
            ImageManifest manifest = new Gson().fromJson(text, ImageManifest.class);
            if (manifest != null && manifest.isComplete()) {
                return manifest;
            }
            throw damaged(file, null);
        } catch (JsonParseException e) {
            throw damaged(file, e);
        }
    }

    private boolean isComplete() {
        return image != null
                && kernel != null
                && (jdk == null || jdk.moduleReasons != null && jdk.moduleBytes != null)
                && application != null
                && machine != null
                && parts != null
                && files != null;
    }

    private static ExplainedException damaged(Path file, JsonParseException cause) {
        return new ExplainedException(
                file + " is not a manifest that a report can be made of. Make the image again with 'mvn package'.",
                cause);
    }

    /** Everything in the image, for a comparison; nothing has an origin. */
    List<ImageEntry> entries() {
        return files.stream().map(Content::entry).toList();
    }
}
