// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.GuestMemory;
import io.github.javaunikernel.maven.boot.UefiLoader;
import io.github.javaunikernel.maven.boot.XenConfig;
import io.github.javaunikernel.maven.image.Ext2Writer;
import io.github.javaunikernel.maven.image.ImageSummary;
import io.github.javaunikernel.maven.image.ImageTree;
import io.github.javaunikernel.maven.image.UefiDisk;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;

/** Makes an image and the files beside it. Afterwards either all of them are new, or all of them are as before. */
public final class ImageAssembler {

    private static final long MEBIBYTE = 1 << 20;

    private final Consumer<String> progress;
    private final Consumer<String> warnings;

    /**
     * Makes an assembler.
     *
     * @param progress gets one line on what happens
     * @param warnings gets one line on what may be wrong with the image
     */
    public ImageAssembler(Consumer<String> progress, Consumer<String> warnings) {
        this.progress = progress;
        this.warnings = warnings;
    }

    /** Makes what is requested. */
    public ImageSummary assemble(ImageRequest request) throws IOException, SettingException {
        Optional<JavaProgram> java = request.application().executable() == null
                ? Optional.of(new JavaPreparation(request, progress, warnings).prepare())
                : Optional.empty();
        GuestMemory.check(request.machine().memory(), java.isPresent());
        ImageContents contents = new ImageContents(request, progress, warnings);
        ImageTree tree = contents.build(java);
        try (Outputs outputs = new Outputs(request.directory(), request.name())) {
            ImageSummary summary = writeImage(request, tree, outputs.unfinished(request.imageFile()));
            checkSize(request, summary.size());
            String manifest =
                    ManifestFile.text(request, summary, java, contents.system().reasons());
            writeSideFiles(request, outputs, summary.uuid(), manifest);
            write(
                    outputs.unfinished(request.billFile()),
                    BillOfMaterials.text(
                                    request, summary, java, contents.system().root())
                            .getBytes(StandardCharsets.UTF_8));
            outputs.publish();
            return summary;
        }
    }

    private static ImageSummary writeImage(ImageRequest request, ImageTree tree, Path file) throws IOException {
        Ext2Writer writer = new Ext2Writer("unikernel", request.time());
        if (request.firmware() != Firmware.UEFI) {
            return writer.write(tree, file);
        }
        UefiLoader loader = UefiLoader.builtIn();
        return new UefiDisk(
                        writer, request.time(), id -> loader.files(request.kernel(), ImageContents.menu(request, id)))
                .write(tree, file);
    }

    private static void checkSize(ImageRequest request, long size) throws SettingException {
        if (request.maxSize() > 0 && size > request.maxSize() * MEBIBYTE) {
            throw new SettingException(
                    "imageSize",
                    "The image needs " + (size + MEBIBYTE - 1) / MEBIBYTE + " MiB, but the limit is "
                            + request.maxSize() + ".",
                    "Raise the limit, or leave out dependencies or modules.");
        }
    }

    private static void writeSideFiles(ImageRequest request, Outputs outputs, UUID root, String manifest)
            throws IOException {
        Machine machine = request.machine();
        XenConfig xen = new XenConfig(
                request.name(),
                request.kernelFile().toAbsolutePath(),
                request.imageFile().toAbsolutePath(),
                machine.commandLine().withRoot(root),
                machine.memory(),
                machine.vcpus(),
                machine.network(),
                machine.scratch().map(disk -> request.scratchFile().toAbsolutePath()),
                machine.dataDisks(),
                machine.dataDirectory(),
                machine.xlChannel());
        if (machine.scratch().isPresent()) {
            makeSparse(
                    outputs.unfinished(request.scratchFile()),
                    machine.scratch().get().size());
        }
        write(outputs.unfinished(request.kernelFile()), request.kernel().elf());
        write(outputs.unfinished(request.xenFile()), xen.text().getBytes(StandardCharsets.UTF_8));
        write(outputs.unfinished(request.manifestFile()), manifest.getBytes(StandardCharsets.UTF_8));
        keepPrevious(request, outputs, manifest);
    }

    /** The manifest of the image that this one replaces stays, so that a report can say what has changed. */
    private static void keepPrevious(ImageRequest request, Outputs outputs, String manifest) throws IOException {
        Path file = request.manifestFile();
        if (Files.isRegularFile(file)) {
            byte[] before = FileTrouble.on(file, () -> Files.readAllBytes(file));
            if (!Arrays.equals(before, manifest.getBytes(StandardCharsets.UTF_8))) {
                write(outputs.unfinished(request.previousManifestFile()), before);
            }
        }
    }

    /** A file of zeros that takes no space on the disk until it is written, where file systems can do that. */
    private static void makeSparse(Path file, long size) throws IOException {
        FileTrouble.on(file, () -> {
            try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
                sparse.setLength(size);
                return file;
            }
        });
    }

    private static void write(Path file, byte[] bytes) throws IOException {
        FileTrouble.on(file, () -> Files.write(file, bytes));
    }
}
