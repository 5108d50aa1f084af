// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import com.google.gson.Gson;
import com.google.gson.JsonParseException;
import io.github.javaunikernel.maven.boot.DataDisk;
import io.github.javaunikernel.maven.boot.KernelCommandLine;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;

/**
 * An image that was made, and the machine it was made for, as its manifest says.
 *
 * @param uefi whether the image has the form for UEFI, which no BIOS boots
 * @param memory in MiB
 * @param scratchBytes size of the scratch disk that it needs, 0 for none
 * @param debugPort the guest's port that the JVM's debugger agent listens on, 0 when the image has no agent
 * @param jmxPort the guest's port that the JVM's agent for JMX listens on, 0 when there is none
 * @param executable the file of the image that the guest starts in place of a JVM, or null
 * @param trainingConfig the file of the image with which the guest records a class list, or null
 * @param aotRecording the name of the recording of which the AOT cache of this application is made, or null if the
 *     guest records a class list
 * @param check how the program checks itself, or null
 */
public record BuiltImage(
        String name,
        Path image,
        Path kernel,
        Path xenConfig,
        boolean uefi,
        KernelCommandLine commandLine,
        int memory,
        int vcpus,
        NetworkSetting network,
        long scratchBytes,
        List<DataDisk> dataDisks,
        int debugPort,
        int jmxPort,
        String executable,
        String trainingConfig,
        String aotRecording,
        Check check) {

    /**
     * How the program checks itself.
     *
     * @param config the file of the image with which the guest does so
     * @param arguments of the program
     */
    public record Check(String config, List<String> arguments) {}

    /** The parts of the manifest that are read here. */
    private record Manifest(Image image, Options kernel, Machine machine, Application application) {

        private record Image(UUID uuid, boolean uefi) {}

        private record Options(String options) {}

        private record Machine(int memory, int vcpus, String network, long scratchBytes, List<DataDisk> dataDisks) {}

        private record Application(
                int debugPort,
                int jmxPort,
                String executable,
                String trainingConfig,
                String aotRecording,
                Check check) {}

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

    /** The arguments with which the program checks itself; empty if it does not. */
    public List<String> checkArguments() {
        return check == null ? List.of() : check.arguments();
    }

    /** What somebody has to know who starts the image where no goal of this plugin adds its data disks; or empty. */
    public Optional<String> dataDiskNote() {
        return dataDisks.isEmpty()
                ? Optional.empty()
                : Optional.of("The image does not start without its data disks. Give each machine a disk with an ext2"
                        + " file system that is labelled "
                        + dataDisks.stream()
                                .map(DataDisk::label)
                                .collect(Collectors.joining(", and one that is labelled "))
                        + ".");
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
                manifest.image().uefi(),
                manifest.commandLine(),
                manifest.machine().memory(),
                manifest.machine().vcpus(),
                NetworkSetting.parse(manifest.machine().network()),
                manifest.machine().scratchBytes(),
                Optional.ofNullable(manifest.machine().dataDisks()).orElse(List.of()),
                manifest.application().debugPort(),
                manifest.application().jmxPort(),
                manifest.application().executable(),
                manifest.application().trainingConfig(),
                manifest.application().aotRecording(),
                manifest.application().check());
    }

    private static Path existing(Path file) throws SettingException {
        if (!Files.isRegularFile(file)) {
            throw new SettingException(
                    "imageName",
                    "There is no " + file + ".",
                    "Make the image first, with 'mvn package' and the goal image bound to that phase, or "
                            + "correct imageName and classifier.");
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
