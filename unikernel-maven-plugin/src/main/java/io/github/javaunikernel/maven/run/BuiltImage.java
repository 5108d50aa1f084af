// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import io.github.javaunikernel.maven.boot.KernelCommandLine;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/**
 * An image that was made, and the machine it was made for, as its manifest says.
 *
 * @param memory in MiB
 * @param scratchBytes size of the scratch disk that it needs, 0 for none
 * @param debugPort the guest's port that the JVM's debugger agent listens on, 0 when the image has no agent
 * @param trainingConfig the file of the image with which the guest records a class list, or null
 */
public record BuiltImage(
        String name,
        Path image,
        Path kernel,
        Path xenConfig,
        KernelCommandLine commandLine,
        int memory,
        int vcpus,
        NetworkSetting network,
        long scratchBytes,
        int debugPort,
        String trainingConfig) {

    /** The parts of the manifest that are read here. */
    private record Manifest(Image image, Options kernel, Machine machine, Application application) {

        private record Image(UUID uuid) {}

        private record Options(String options) {}

        private record Machine(int memory, int vcpus, String network, long scratchBytes) {}

        private record Application(int debugPort, String trainingConfig) {}

        private KernelCommandLine commandLine() throws SettingException, IOException {
            return KernelCommandLine.parse(kernel.options).withRoot(image.uuid);
        }

        private boolean isComplete() {
            return image != null
                    && image.uuid != null
                    && kernel != null
                    && kernel.options != null
                    && machine != null
                    && machine.network != null
                    && application != null;
        }
    }

    /** Finds the files that {@code unikernel:image} made under this name. */
    public static BuiltImage find(Path directory, String name) throws SettingException, IOException {
        Path image = existing(directory.resolve(name + ".img"));
        Path manifestFile = existing(directory.resolve(name + ".unikernel.json"));
        Manifest manifest = manifest(manifestFile);
        return new BuiltImage(
                name,
                image,
                existing(directory.resolve(name + ".kernel")),
                existing(directory.resolve(name + ".xl.cfg")),
                manifest.commandLine(),
                manifest.machine().memory(),
                manifest.machine().vcpus(),
                NetworkSetting.parse(manifest.machine().network()),
                manifest.machine().scratchBytes(),
                manifest.application().debugPort(),
                manifest.application().trainingConfig());
    }

    private static Path existing(Path file) throws SettingException {
        if (!Files.isRegularFile(file)) {
            throw new SettingException(
                    "imageName",
                    "There is no " + file + ".",
                    "Make the image first, with 'mvn package' and the goal image bound to that phase, or "
                            + "correct the name.");
        }
        return file;
    }

    private static Manifest manifest(Path file) throws IOException {
        String text = FileTrouble.on(file, () -> Files.readString(file));
        try {
            Manifest manifest = new Gson().fromJson(text, Manifest.class);
            if (manifest != null && manifest.isComplete()) {
                return manifest;
            }
            throw damaged(file, null);
        } catch (JsonParseException e) {
            throw damaged(file, e);
        }
    }

    private static ExplainedException damaged(Path file, JsonParseException cause) {
        return new ExplainedException(
                file + " is not a manifest of an image, or only a part of one."
                        + " Make the image again with 'mvn package'.",
                cause);
    }
}
