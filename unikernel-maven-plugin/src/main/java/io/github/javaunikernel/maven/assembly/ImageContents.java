// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.BiosLoader;
import io.github.javaunikernel.maven.boot.DataDisk;
import io.github.javaunikernel.maven.boot.GrubMenu;
import io.github.javaunikernel.maven.boot.GuestConfig;
import io.github.javaunikernel.maven.boot.GuestMemory;
import io.github.javaunikernel.maven.boot.Jmx;
import io.github.javaunikernel.maven.boot.JvmOptions;
import io.github.javaunikernel.maven.boot.Kernel;
import io.github.javaunikernel.maven.image.BootArea;
import io.github.javaunikernel.maven.image.FileContent;
import io.github.javaunikernel.maven.image.ImageException;
import io.github.javaunikernel.maven.image.ImageTree;
import io.github.javaunikernel.maven.image.Placement;
import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Fills the tree of an image from everything that goes into it. */
final class ImageContents {

    private static final String GENERATED = "generated";
    /** MAX_MEMORY_MOUNTS of the kernel (guest-kernel, linux/configuration.h). */
    private static final int MOST_MOUNTS = 16;
    /** Where the C library looks for C.UTF-8 (locale(7)). */
    private static final String LOCALE = "/usr/lib/locale/C.utf8";
    /** What the build makes, and the user's files must not replace. */
    private static final List<String> RESERVED = List.of(
            "/boot/",
            "/jvm/",
            Paths.CONFIG,
            Paths.TRAINING_CONFIG,
            Paths.CHECK_CONFIG,
            Jmx.PASSWORD_FILE,
            Jmx.ACCESS_FILE,
            Jmx.KEYSTORE_FILE,
            Jmx.SSL_FILE);

    /** What only the owner may read. */
    private static final Set<String> PRIVATE =
            Set.of(Jmx.PASSWORD_FILE, Jmx.ACCESS_FILE, Jmx.KEYSTORE_FILE, Jmx.SSL_FILE);

    private final ImageRequest request;
    private final Consumer<String> progress;
    private final Consumer<String> warnings;
    private final ImageTree tree = new ImageTree();
    private SystemLibraries system;

    ImageContents(ImageRequest request, Consumer<String> progress, Consumer<String> warnings) {
        this.request = request;
        this.progress = progress;
        this.warnings = warnings;
    }

    /**
     * Builds the tree.
     *
     * @param java what was prepared for a Java program, or empty for an executable
     */
    ImageTree build(Optional<JavaProgram> java) throws IOException, SettingException {
        addUserFiles();
        addKernel();
        if (java.isPresent()) {
            new RuntimeFiles(request, tree).add(java.get());
        }
        addLibraries(java);
        addLocale();
        List<String> classPath = addApplication();
        Map<String, String> environment = environment();
        List<String> writable = writableDirectories(environment.get("HOME"));
        checkNumber(writable);
        for (String directory : writable) {
            tree.directory(directory);
        }
        addConfigs(java.isPresent() ? started(java.get(), classPath) : executable(), environment, writable);
        SystemFiles.add(tree);
        checkConfiguration();
        for (String path : mounted()) {
            tree.directory(path);
        }
        return tree;
    }

    /**
     * What the guest starts.
     *
     * @param file of the image
     * @param words before the arguments of the program
     * @param recording those with which a start records which classes it loads, or empty
     * @param recordingDisk that such a start writes to, or empty
     */
    private record Start(String file, List<String> words, List<String> recording, Optional<DataDisk> recordingDisk) {}

    private Start executable() {
        return new Start(request.application().executable(), List.of(), List.of(), Optional.empty());
    }

    private Start started(JavaProgram java, List<String> classPath) throws IOException, SettingException {
        if (java.launch().hasAgent()) {
            FileContent launcher = FileContent.of(java.launch().launcher(classPath, request.time()));
            tree.file(Paths.LAUNCHER, launcher, 0644, GENERATED);
        }
        List<String> command = java.launch().command(classPath);
        boolean forAot = java.classData().recording() != null;
        List<String> recording = forAot
                ? JvmOptions.recordingForAot(DataDisk.TRAINING.path() + "/" + DataDisk.RECORDING)
                : JvmOptions.recording(Paths.RECORDING);
        if (forAot) {
            tree.directory(DataDisk.TRAINING.path());
        }
        return new Start(
                Paths.JAVA,
                joined(
                        java.options(),
                        java.classData().placed().map(PlacedClassData::options).orElse(List.of()),
                        command),
                java.trainable() ? joined(java.options(), recording, command) : List.of(),
                forAot ? Optional.of(DataDisk.TRAINING) : Optional.empty());
    }

    /** After {@link #build}: the libraries of a Linux system in the image. */
    SystemLibraries system() {
        return system;
    }

    /** Directories that are mounted over what the image has there. */
    private List<String> mounted() {
        List<String> paths = new ArrayList<>();
        request.machine().memoryFileSystems().forEach(fileSystem -> paths.add(fileSystem.path()));
        request.machine().scratch().ifPresent(disk -> paths.add(disk.path()));
        request.machine().dataDisks().forEach(disk -> paths.add(disk.path()));
        return paths;
    }

    private void checkNumber(List<String> writable) throws SettingException {
        int asked = request.machine().memoryFileSystems().size();
        if (writable.size() + asked > MOST_MOUNTS) {
            throw new SettingException(
                    "tmpfs",
                    "There are " + asked + " directories in memory; the kernel takes " + (MOST_MOUNTS - writable.size())
                            + " in addition to " + String.join(" and ", writable) + ".",
                    "Use one directory with several below it.");
        }
    }

    private void checkConfiguration() throws SettingException, IOException {
        Optional<String> other = request.machine().commandLine().configuration();
        if (other.isPresent() && !tree.holdsFile(other.get())) {
            throw new SettingException(
                    "kernelOptions",
                    "conf=" + other.get() + " names a file that the image does not have.",
                    "Add it to src/main/unikernel, or leave the option out.");
        }
    }

    private void addUserFiles() throws IOException, SettingException {
        for (Path file : HostFiles.own(request)) {
            String path = "/" + DirectoryTree.slashed(request.files().relativize(file));
            for (String reserved : RESERVED) {
                if (path.startsWith(reserved)) {
                    throw new SettingException(
                            "filesDirectory",
                            file + " would become " + path + " in the image, which the build creates.",
                            "Move or remove it.");
                }
            }
            HostFiles.add(tree, path, file, "file:" + path.substring(1));
        }
    }

    /** Adds the kernel and what boot loaders read: PV-GRUB the menu, a BIOS the boot area and what it names. */
    private void addKernel() throws IOException {
        Kernel kernel = request.kernel();
        BiosLoader loader = BiosLoader.builtIn();
        tree.bootFile(Paths.KERNEL, FileContent.of(kernel.elf()), kernel.origin());
        tree.bootFile(Paths.BIOS_LOADER, FileContent.of(loader.program()), Kernel.builtInOrigin());
        tree.bootFile(Paths.MENU, FileContent.of(image -> menu(request, image)), GENERATED);
        tree.boot(new BootArea(loader.sector(), List.of(Paths.BIOS_LOADER, Paths.KERNEL, Paths.MENU)));
    }

    /** The text of menu.lst in an image with this id. */
    static String menu(ImageRequest request, UUID image) {
        return GrubMenu.text(
                request.name(), Paths.KERNEL, request.machine().commandLine().withRoot(image));
    }

    private void addLibraries(Optional<JavaProgram> java) throws IOException, SettingException {
        system = SystemLibraries.choose(request, java, tree, progress);
        for (Map.Entry<String, Path> library : system.files().entrySet()) {
            if (!tree.holdsFile(library.getKey())) {
                tree.file(
                        library.getKey(),
                        HostFiles.nativeContent(
                                library.getValue(), request.runtime().stripNative()),
                        0755,
                        "system:" + library.getKey(),
                        Placement.SYSTEM);
            }
        }
        if (system.fonts().isPresent()) {
            system.fonts().get().add();
        }
        system.warnings().forEach(warnings);
    }

    /**
     * Adds the C library's files for the locale C.UTF-8, which LANG names in the guest: without them the JVM takes
     * arguments, variables and file names for ASCII.
     */
    private void addLocale() throws IOException {
        Path locale = system.root().resolve(LOCALE.substring(1));
        if (!Files.isDirectory(locale)) {
            warnings.accept("There is no " + locale + ", so characters beyond ASCII in arguments, environment variables"
                    + " and names of files will be lost. Install the locale C.UTF-8 (Debian: package libc-bin).");
            return;
        }
        for (Path file : HostFiles.under(locale, path -> true)) {
            String path = LOCALE + "/" + DirectoryTree.slashed(locale.relativize(file));
            if (Files.isRegularFile(file) && !tree.holdsFile(path)) {
                tree.file(path, FileContent.of(file), 0644, "system:" + path, Placement.SYSTEM);
            }
        }
    }

    /** Adds the jars and what else the application has; returns the class path in the image. */
    private List<String> addApplication() throws IOException {
        List<String> classPath = new ArrayList<>();
        for (Application.Jar jar : request.application().placedJars()) {
            tree.file(jar.place(), FileContent.of(jar.file()), 0644, jar.origin(), placement(jar, classPath.size()));
            classPath.add(jar.place());
        }
        for (Application.Jar other : request.application().others()) {
            if (!tree.holdsFile(other.place())) {
                tree.file(
                        other.place(),
                        FileContent.of(other.file()),
                        permissions(other),
                        other.origin(),
                        placement(other, classPath.size()));
            }
        }
        return classPath;
    }

    /** The file to start can be run, whatever unpacked or copied it, and passwords are the program's alone. */
    private int permissions(Application.Jar file) throws IOException {
        if (PRIVATE.contains(file.place())) {
            return 0600;
        }
        return file.place().equals(request.application().executable()) ? 0755 : HostFiles.permissions(file.file());
    }

    /** The class path's order is kept: a dependency that is added at its end leaves the others where they are. */
    private static Placement placement(Application.Jar file, int rank) {
        return file.isReleasedLibrary() ? Placement.dependency(rank) : Placement.APPLICATION;
    }

    private Map<String, String> environment() {
        Map<String, String> environment = new TreeMap<>(Map.of("LANG", "C.UTF-8", "HOME", "/home", "TZ", "UTC"));
        if (request.application().executable() == null) {
            environment.put("PATH", "/jvm/bin");
            if (GuestMemory.isScarce(request.machine().memory())) {
                // Otherwise threads share up to eight arenas for each CPU (mallopt(3)), and what is free in one of them
                // is not given to threads of another.
                environment.put("MALLOC_ARENA_MAX", "1");
            }
        }
        environment.putAll(request.application().environment());
        return environment;
    }

    private List<String> writableDirectories(String home) throws IOException {
        WritableDirectories directories = new WritableDirectories(mounted(), warnings).addHome(home);
        Path passwords = request.files() == null ? null : request.files().resolve("etc/passwd");
        if (passwords != null && Files.isRegularFile(passwords)) {
            directories.addHomeIn(passwords);
        }
        return directories.paths();
    }

    /** Adds the guest's configuration, and those with which it records classes or checks itself. */
    private void addConfigs(Start start, Map<String, String> environment, List<String> writable)
            throws SettingException, ImageException {
        Application application = request.application();
        List<String> arguments = application.arguments();
        add(Paths.CONFIG, config(start, joined(start.words(), arguments), environment, writable));
        if (!start.recording().isEmpty()) {
            GuestConfig training = config(start, joined(start.recording(), arguments), environment, writable);
            start.recordingDisk().ifPresent(training::dataDisk);
            add(Paths.TRAINING_CONFIG, training);
        }
        if (!application.checkArguments().isEmpty()) {
            List<String> words = joined(start.words(), application.checkArguments());
            add(Paths.CHECK_CONFIG, config(start, words, environment, writable));
        }
    }

    @SafeVarargs
    private static List<String> joined(List<String>... lists) {
        return Stream.of(lists).flatMap(List::stream).toList();
    }

    private void add(String path, GuestConfig config) throws SettingException, ImageException {
        tree.file(path, FileContent.of(config.checkSize().text()), 0644, GENERATED);
    }

    private GuestConfig config(
            Start start, List<String> arguments, Map<String, String> environment, List<String> writable)
            throws SettingException {
        GuestConfig config = new GuestConfig(start.file());
        arguments.forEach(config::argument);
        configure(config, environment, writable);
        return config;
    }

    private void configure(GuestConfig config, Map<String, String> environment, List<String> writable)
            throws SettingException {
        Machine machine = request.machine();
        for (Map.Entry<String, String> variable : environment.entrySet()) {
            config.variable(variable.getKey(), variable.getValue());
        }
        config.directory(Paths.APPLICATION)
                .hostName(machine.hostName())
                .network(machine.network())
                .time(machine.time())
                .reporting(machine.reporting(), request.name());
        writable.forEach(config::writable);
        machine.memoryFileSystems().forEach(config::memoryFileSystem);
        machine.scratch().ifPresent(config::scratch);
        machine.dataDisks().forEach(config::dataDisk);
        config.instanceEnvironment(machine.instanceEnvironment());
        if (!machine.instanceMetadata()) {
            config.noInstanceMetadata();
        }
    }
}
