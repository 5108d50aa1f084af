// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.BiosLoader;
import io.github.javaunikernel.maven.boot.GrubMenu;
import io.github.javaunikernel.maven.boot.GuestConfig;
import io.github.javaunikernel.maven.boot.JvmOptions;
import io.github.javaunikernel.maven.boot.Kernel;
import io.github.javaunikernel.maven.image.BootArea;
import io.github.javaunikernel.maven.image.FileContent;
import io.github.javaunikernel.maven.image.ImageException;
import io.github.javaunikernel.maven.image.ImageTree;
import io.github.javaunikernel.maven.image.Placement;
import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.runtime.JavaHome;
import io.github.javaunikernel.maven.runtime.LibraryClosure;
import io.github.javaunikernel.maven.runtime.LoadedElf;
import io.github.javaunikernel.maven.runtime.SystemRoot;
import io.github.javaunikernel.maven.runtime.TrustStore;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Fills the tree of an image from everything that goes into it. */
final class ImageContents {

    private static final String GENERATED = "generated";
    /**
     * Parts of a runtime that start processes, serve other JDKs, or need a display or a sound card: nothing in a guest
     * can use them, and the last would bring dozens of system libraries along.
     */
    private static final Set<String> UNUSABLE = Set.of(
            "lib/jexec",
            "lib/jspawnhelper",
            "lib/jrt-fs.jar",
            "lib/classlist",
            "lib/libawt_xawt.so",
            "lib/libjawt.so",
            "lib/libsplashscreen.so",
            "lib/libjsound.so");

    private static final Map<String, String> OPENED_BY_RUNTIME = Map.of("lib/libsctp.so", "libsctp.so.1");
    /** Parts of a runtime that an administrator configures in the JDK; jlink has them as the JDK was delivered. */
    private static final List<String> CONFIGURED = List.of("conf/", "lib/security/");

    private static final String TRUSTED = "lib/security/cacerts";
    /** The JDK prefers this store to the one above if it exists. */
    private static final String TRUSTED_FIRST = "lib/security/jssecacerts";
    /** MAX_MEMORY_MOUNTS of the kernel (guest-kernel, linux/configuration.h). */
    private static final int MOST_MOUNTS = 16;
    /** Where the C library looks for C.UTF-8 (locale(7)). */
    private static final String LOCALE = "/usr/lib/locale/C.utf8";
    /** What the build makes, and the user's files must not replace. */
    private static final List<String> RESERVED =
            List.of("/boot/", "/jvm/", Paths.CONFIG, Paths.TRAINING_CONFIG, Paths.CHECK_CONFIG);

    private final ImageRequest request;
    private final Consumer<String> warnings;
    private final ImageTree tree = new ImageTree();
    private final Map<String, String> libraryReasons = new TreeMap<>();

    ImageContents(ImageRequest request, Consumer<String> warnings) {
        this.request = request;
        this.warnings = warnings;
    }

    /**
     * What was prepared for an image before its tree is built.
     *
     * @param classData archive that is not the runtime's own, or empty
     * @param options of the JVM on its command line
     * @param trainable whether a start of it can record a class list
     * @param drawing whether text is drawn, so that fonts are needed
     */
    record Prepared(
            Path runtime,
            Optional<Path> classData,
            Launch launch,
            List<String> options,
            boolean trainable,
            boolean drawing) {}

    /** Builds the tree. */
    ImageTree build(Prepared prepared) throws IOException, SettingException {
        Launch launch = prepared.launch();
        addUserFiles();
        addKernel();
        addRuntime(prepared.runtime());
        if (prepared.classData().isPresent()) {
            tree.file(Paths.CLASS_DATA, FileContent.of(prepared.classData().get()), 0644, GENERATED);
        }
        addLibraries(prepared.runtime(), prepared.drawing());
        addLocale();
        List<String> classPath = addApplication();
        if (launch.hasAgent()) {
            tree.file(Paths.LAUNCHER, FileContent.of(launch.launcher(classPath, request.time())), 0644, GENERATED);
        }
        Map<String, String> environment = environment();
        List<String> writable = writableDirectories(environment.get("HOME"));
        checkNumber(writable);
        for (String directory : writable) {
            tree.directory(directory);
        }
        addConfigs(prepared, launch.command(classPath), environment, writable);
        SystemFiles.add(tree);
        checkConfiguration();
        for (String path : mounted()) {
            tree.directory(path);
        }
        return tree;
    }

    /** After {@link #build}: for each library of the system in the image, why it is there. */
    Map<String, String> libraryReasons() {
        return libraryReasons;
    }

    /** Directories that are mounted over what the image has there. */
    private List<String> mounted() {
        List<String> paths = new ArrayList<>();
        request.machine().memoryFileSystems().forEach(fileSystem -> paths.add(fileSystem.path()));
        request.machine().scratch().ifPresent(disk -> paths.add(disk.path()));
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
        Path files = request.files();
        if (files == null || !Files.isDirectory(files)) {
            return;
        }
        for (Path file : filesUnder(files, path -> true)) {
            String path = "/" + DirectoryTree.slashed(files.relativize(file));
            for (String reserved : RESERVED) {
                if (path.startsWith(reserved)) {
                    throw new SettingException(
                            "filesDirectory",
                            file + " would become " + path + " in the image, which the build creates.",
                            "Move or remove it.");
                }
            }
            add(path, file, "file:" + path.substring(1));
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

    private void addRuntime(Path runtime) throws IOException, SettingException {
        JavaHome jdk = request.runtime().jdk();
        String origin = "jdk:" + jdk.vendor() + " " + jdk.runtimeVersion();
        for (Path file : filesUnder(runtime, ImageContents::usable)) {
            String relative = DirectoryTree.slashed(runtime.relativize(file));
            String path = Paths.RUNTIME + "/" + relative;
            if (CONFIGURED.stream().anyMatch(relative::startsWith) && Files.isRegularFile(file)) {
                tree.file(path, configured(jdk, relative, file), 0644, origin, Placement.RUNTIME);
            } else if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                tree.file(path, nativeContent(file), permissions(file), origin, placementInRuntime(relative));
            } else {
                add(path, file, origin);
            }
        }
        if (Files.isRegularFile(jdk.path().resolve(TRUSTED_FIRST))) {
            tree.file(
                    Paths.RUNTIME + "/" + TRUSTED_FIRST,
                    configured(jdk, TRUSTED_FIRST, jdk.path().resolve(TRUSTED_FIRST)),
                    0644,
                    origin,
                    Placement.RUNTIME);
        }
    }

    /** A file of the runtime as the JDK it comes from has it, with the user's certificates if it is a store of such. */
    private FileContent configured(JavaHome jdk, String relative, Path linked) throws IOException, SettingException {
        Path own = jdk.path().resolve(relative);
        Path source = Files.isRegularFile(own) ? own : linked;
        List<Path> trusted = request.runtime().trusted();
        boolean store = relative.equals(TRUSTED) || relative.equals(TRUSTED_FIRST);
        if (!store || trusted.isEmpty()) {
            return FileContent.of(source);
        }
        TrustStore merged = new TrustStore().add(source);
        for (Path file : trusted) {
            merged.add(file);
        }
        return FileContent.of(merged.toBytes(request.time()));
    }

    /** Of the programs only java is started; classes.jsa beside libjvm is the class-data archive. */
    private static boolean usable(Path file) {
        String path = DirectoryTree.slashed(file);
        return !UNUSABLE.contains(path) && (!path.startsWith("bin/") || path.equals("bin/java"));
    }

    private void addLibraries(Path runtime, boolean drawing) throws IOException, SettingException {
        LibraryClosure closure =
                new LibraryClosure(request.runtime().sysroot()).add(filesUnder(runtime, ImageContents::usable));
        List<Path> own = request.files() != null && Files.isDirectory(request.files())
                ? filesUnder(request.files(), path -> true)
                : List.of();
        closure.addOwn(own).addJars(request.application().allJars());
        closure.addOwn(request.application().others().stream()
                .map(Application.Jar::file)
                .toList());
        addOpenedByName(runtime, closure);
        if (drawing && Files.exists(runtime.resolve(Fonts.USER))) {
            new Fonts(new SystemRoot(request.runtime().sysroot()), warnings)
                    .add(tree, closure, own.stream().map(DirectoryTree::slashed).toList());
        }
        for (Map.Entry<String, Path> library : closure.resolve().entrySet()) {
            if (!tree.holdsFile(library.getKey())) {
                tree.file(
                        library.getKey(),
                        nativeContent(library.getValue()),
                        0755,
                        "system:" + library.getKey(),
                        Placement.SYSTEM);
            }
        }
        closure.unresolved().forEach(warnings);
        libraryReasons.putAll(closure.reasons());
    }

    /** Libraries of the runtime that open one of the system when they are first used. */
    private void addOpenedByName(Path runtime, LibraryClosure closure) throws IOException {
        for (Map.Entry<String, String> opening : OPENED_BY_RUNTIME.entrySet()) {
            if (Files.exists(runtime.resolve(opening.getKey()))
                    && !closure.addNamed(opening.getValue(), opening.getKey())) {
                warnings.accept("The native library " + opening.getValue() + ", which " + opening.getKey()
                        + " of the runtime opens, is not under "
                        + request.runtime().sysroot() + ". Install the package that"
                        + " has it, if the application uses it.");
            }
        }
    }

    /**
     * Adds the C library's files for the locale C.UTF-8, which LANG names in the guest: without them the JVM takes
     * arguments, variables and file names for ASCII.
     */
    private void addLocale() throws IOException {
        Path locale = request.runtime().sysroot().resolve(LOCALE.substring(1));
        if (!Files.isDirectory(locale)) {
            warnings.accept("There is no " + locale + ", so characters beyond ASCII in arguments, environment variables"
                    + " and names of files will be lost. Install the locale C.UTF-8 (Debian: package libc-bin).");
            return;
        }
        for (Path file : filesUnder(locale, path -> true)) {
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
                        permissions(other.file()),
                        other.origin(),
                        placement(other, classPath.size()));
            }
        }
        return classPath;
    }

    /** The class path's order is kept: a dependency that is added at its end leaves the others where they are. */
    private static Placement placement(Application.Jar file, int rank) {
        return file.isReleasedLibrary() ? Placement.dependency(rank) : Placement.APPLICATION;
    }

    /** The modules and their class data depend on what the application uses, the rest of a runtime on the JDK alone. */
    private static Placement placementInRuntime(String relative) {
        return relative.equals("lib/modules") || relative.endsWith(".jsa") ? Placement.MODULES : Placement.RUNTIME;
    }

    private Map<String, String> environment() {
        Map<String, String> environment =
                new TreeMap<>(Map.of("LANG", "C.UTF-8", "HOME", "/home", "TZ", "UTC", "PATH", "/jvm/bin"));
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
    private void addConfigs(
            Prepared prepared, List<String> program, Map<String, String> environment, List<String> writable)
            throws SettingException, ImageException {
        Application application = request.application();
        List<String> options = prepared.options();
        addConfig(Paths.CONFIG, joined(options, program, application.arguments()), environment, writable);
        if (prepared.trainable()) {
            List<String> recording = joined(options, JvmOptions.recording(Paths.RECORDING));
            List<String> words = joined(recording, program, application.arguments());
            addConfig(Paths.TRAINING_CONFIG, words, environment, writable);
        }
        if (!application.checkArguments().isEmpty()) {
            List<String> words = joined(options, program, application.checkArguments());
            addConfig(Paths.CHECK_CONFIG, words, environment, writable);
        }
    }

    @SafeVarargs
    private static List<String> joined(List<String>... lists) {
        return Stream.of(lists).flatMap(List::stream).toList();
    }

    private void addConfig(String path, List<String> arguments, Map<String, String> environment, List<String> writable)
            throws SettingException, ImageException {
        GuestConfig config = new GuestConfig(Paths.JAVA);
        arguments.forEach(config::argument);
        configure(config, environment, writable);
        tree.file(path, FileContent.of(config.text()), 0644, GENERATED);
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
        config.instanceEnvironment(machine.instanceEnvironment());
        if (!machine.instanceMetadata()) {
            config.noInstanceMetadata();
        }
    }

    private void add(String path, Path file, String origin) throws IOException {
        if (Files.isSymbolicLink(file)) {
            tree.symbolicLink(path, DirectoryTree.slashed(Files.readSymbolicLink(file)), origin);
        } else if (Files.isDirectory(file)) {
            tree.directory(path);
        } else {
            tree.file(path, FileContent.of(file), permissions(file), origin);
        }
    }

    /** The file, without its debugging symbols where it has such and they are not wanted. */
    private FileContent nativeContent(Path file) throws IOException {
        if (!request.runtime().stripNative()) {
            return FileContent.of(file);
        }
        Optional<LoadedElf> loaded = LoadedElf.of(file);
        return loaded.isPresent() ? loaded.get()::open : FileContent.of(file);
    }

    private static int permissions(Path file) {
        return Files.isExecutable(file) ? 0755 : 0644;
    }

    private static List<Path> filesUnder(Path directory, Predicate<Path> wanted) throws IOException {
        try (var walk = Files.walk(directory)) {
            return walk.filter(file -> !file.equals(directory) && wanted.test(directory.relativize(file)))
                    .sorted()
                    .toList();
        }
    }
}
