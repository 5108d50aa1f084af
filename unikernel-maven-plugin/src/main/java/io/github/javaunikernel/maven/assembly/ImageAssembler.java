// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.GivenOptions;
import io.github.javaunikernel.maven.boot.JvmOptions;
import io.github.javaunikernel.maven.boot.UefiLoader;
import io.github.javaunikernel.maven.boot.XenConfig;
import io.github.javaunikernel.maven.image.Ext2Writer;
import io.github.javaunikernel.maven.image.ImageSummary;
import io.github.javaunikernel.maven.image.ImageTree;
import io.github.javaunikernel.maven.image.UefiDisk;
import io.github.javaunikernel.maven.runtime.ClassDataMode;
import io.github.javaunikernel.maven.runtime.JavaHome;
import io.github.javaunikernel.maven.runtime.LinkedModules;
import io.github.javaunikernel.maven.runtime.LocaleChoice;
import io.github.javaunikernel.maven.runtime.ModuleAnalysis;
import io.github.javaunikernel.maven.runtime.ModuleReasons;
import io.github.javaunikernel.maven.runtime.OptionProof;
import io.github.javaunikernel.maven.runtime.RuntimeLinker;
import io.github.javaunikernel.maven.runtime.RuntimeSpec;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Consumer;

/** Makes an image and the files beside it. Afterwards either all of them are new, or all of them are as before. */
public final class ImageAssembler {

    private static final long MEBIBYTE = 1 << 20;
    /** The module that draws. */
    private static final String DESKTOP = "java.desktop";

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
        Application application = request.application();
        int feature = request.runtime().jdk().feature();
        String mainClass = MainClass.find(application.mainClass(), application.allJars(), feature);
        new ClassVersions(feature, warnings).check(application.classPath(), application.otherJars(), mainClass);
        NeededModules needed = modules(request);
        Set<String> modules = needed.reasons().keySet();
        Launch launch = Launch.of(application, mainClass);
        ClassDataChoice classData = classData(request, launch);
        Path runtime = runtime(request, modules, classData.mode() == ClassDataMode.JDK);
        List<String> linked = RuntimeLinker.modules(runtime);
        List<String> options = options(request, launch.options(Set.copyOf(linked), feature));
        prove(request, runtime, launch, options);
        Optional<Path> archive = classData.mode() != ClassDataMode.APP
                ? Optional.empty()
                : Optional.of(new ImageClassData(request, progress, warnings).archive(runtime, mainClass, options));
        ImageContents contents = new ImageContents(request, warnings);
        ImageTree tree = contents.build(
                new ImageContents.Prepared(runtime, archive, launch, options, classData.trainable(), needed.drawing()));
        try (Outputs outputs = new Outputs(request.directory(), request.name())) {
            ImageSummary summary = writeImage(request, tree, outputs.unfinished(request.imageFile()));
            checkSize(request, summary.size());
            ManifestFile.Reasons reasons =
                    new ManifestFile.Reasons(needed.reasons(), LinkedModules.of(runtime), contents.libraryReasons());
            String manifest = ManifestFile.text(request, summary, mainClass, linked, reasons);
            writeSideFiles(request, outputs, summary.uuid(), manifest);
            write(
                    outputs.unfinished(request.billFile()),
                    BillOfMaterials.text(request, summary, linked).getBytes(StandardCharsets.UTF_8));
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

    /**
     * What the runtime is linked of.
     *
     * @param reasons why, for each root module
     * @param drawing whether text is drawn, so that fonts are needed
     */
    private record NeededModules(Map<String, String> reasons, boolean drawing) {}

    private NeededModules modules(ImageRequest request) throws IOException, SettingException {
        RuntimeChoice choice = request.runtime();
        ModuleAnalysis analysis = new ModuleAnalysis(choice.jdk());
        analysis.check("modules", choice.modules());
        analysis.check("additionalModules", choice.additionalModules());
        LocaleChoice.check(choice.locales());
        Map<String, String> reasons = new TreeMap<>();
        boolean drawing =
                choice.modules().contains(DESKTOP) || choice.additionalModules().contains(DESKTOP);
        if (choice.modules().isEmpty()) {
            ModuleReasons found = found(request, analysis);
            reasons.putAll(found.all());
            drawing |= found.isDrawing();
        }
        choice.modules().forEach(module -> reasons.put(module, "the parameter modules"));
        Set<String> modules = new TreeSet<>(reasons.keySet());
        LocaleChoice.apply(choice.locales(), modules);
        reasons.keySet().retainAll(modules);
        modules.forEach(module -> reasons.putIfAbsent(module, "the parameter locales"));
        choice.additionalModules().forEach(module -> reasons.putIfAbsent(module, "the parameter additionalModules"));
        return new NeededModules(reasons, drawing);
    }

    private ModuleReasons found(ImageRequest request, ModuleAnalysis analysis) throws IOException {
        Application application = request.application();
        List<Path> jars = new ArrayList<>(application.allJars());
        jars.addAll(jarsAmong(request.files()));
        ModuleReasons reasons =
                analysis.modulesUsedBy(jars, application.options().all(), application.environment());
        reasons.added().forEach((module, reason) -> progress.accept("Added " + module + ": " + reason));
        return reasons;
    }

    /** Agents and plugins come as files of the image, too. */
    private static List<Path> jarsAmong(Path files) throws IOException {
        if (files == null || !Files.isDirectory(files)) {
            return List.of();
        }
        try (var all = Files.walk(files)) {
            return all.filter(file -> file.toString().endsWith(".jar") && Files.isRegularFile(file))
                    .sorted()
                    .toList();
        }
    }

    private ClassDataChoice classData(ImageRequest request, Launch launch) throws SettingException {
        JavaHome jdk = request.runtime().jdk();
        ClassDataMode wanted = request.runtime().classData();
        if (wanted != ClassDataMode.OFF && !jdk.isRunnable()) {
            wanted = ClassDataMode.OFF;
            warnings.accept("The image has no class data and starts more slowly: they are made by running the linked"
                    + " runtime, and this machine cannot run programs for Linux on x86-64. Build on one that can, or"
                    + " set cds to off.");
        }
        Application application = request.application();
        ClassDataChoice choice = ClassDataChoice.of(
                wanted,
                application,
                launch,
                new GivenOptions(
                        options(request, List.of()), application.options().environment()));
        if (!choice.note().isEmpty()) {
            progress.accept(choice.note());
        }
        return choice;
    }

    private Path runtime(ImageRequest request, Set<String> modules, boolean classData)
            throws IOException, SettingException {
        RuntimeChoice choice = request.runtime();
        RuntimeSpec spec = new RuntimeSpec(
                choice.jdk(),
                modules,
                choice.compress(),
                choice.stripDebug(),
                classData,
                LocaleChoice.kept(choice.locales(), modules),
                request.time());
        RuntimeLinker.Linked linked = new RuntimeLinker(choice.cache(), choice.cacheLimit()).link(spec);
        progress.accept((linked.fresh() ? "Linked" : "Reusing") + " a runtime of Java "
                + choice.jdk().version() + " with " + String.join(", ", modules));
        return linked.path();
    }

    /** All options of the JVM on its command line, in their order. */
    private static List<String> options(ImageRequest request, List<String> fromManifest) throws SettingException {
        Machine machine = request.machine();
        GivenOptions given = request.application().options();
        List<String> options =
                new ArrayList<>(JvmOptions.forMachine(machine.memory(), machine.vcpus(), machine.startup(), given));
        options.addAll(fromManifest);
        options.addAll(given.arguments());
        return options;
    }

    private void prove(ImageRequest request, Path runtime, Launch launch, List<String> options)
            throws IOException, SettingException {
        JavaHome jdk = request.runtime().jdk();
        if (!jdk.isRunnable()) {
            return;
        }
        Application application = request.application();
        OptionProof proof = new OptionProof(jdk, runtime);
        proof.prove(options, application.options().environment()).forEach(warnings);
        if (application.asModule()) {
            proof.proveModules(launch.command(
                    application.classPath().stream().map(Path::toString).toList()));
        }
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
                machine.scratch().map(disk -> request.scratchFile().toAbsolutePath()));
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
