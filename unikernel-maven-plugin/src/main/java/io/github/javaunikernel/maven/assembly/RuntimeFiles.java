// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.image.FileContent;
import io.github.javaunikernel.maven.image.ImageTree;
import io.github.javaunikernel.maven.image.Placement;
import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.runtime.JavaHome;
import io.github.javaunikernel.maven.runtime.TrustStore;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** The files that an image of a Java program has for its runtime. */
final class RuntimeFiles {

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

    private final ImageRequest request;
    private final ImageTree tree;

    RuntimeFiles(ImageRequest request, ImageTree tree) {
        this.request = request;
        this.tree = tree;
    }

    /** Everything of a linked runtime that a guest can use. */
    static List<Path> of(Path runtime) throws IOException {
        return HostFiles.under(runtime, RuntimeFiles::usable);
    }

    /** Adds the runtime and its class data. */
    void add(JavaProgram java) throws IOException, SettingException {
        addRuntime(java.runtime());
        if (java.classData().placed().isPresent()) {
            PlacedClassData placed = java.classData().placed().get();
            tree.file(placed.place(), FileContent.of(placed.file()), 0644, GENERATED);
        }
    }

    /** The libraries of the system that parts of a runtime open when they are first used, each with the part. */
    static Map<String, String> openedByName(Path runtime) {
        Map<String, String> opened = new TreeMap<>();
        OPENED_BY_RUNTIME.forEach((part, library) -> {
            if (Files.exists(runtime.resolve(part))) {
                opened.put(library, part);
            }
        });
        return opened;
    }

    /** Whether a program draws text and has a runtime that can. */
    static boolean isDrawing(JavaProgram java) {
        return java.drawing() && Files.exists(java.runtime().resolve(Fonts.USER));
    }

    private void addRuntime(Path runtime) throws IOException, SettingException {
        JavaHome jdk = request.runtime().jdk();
        String origin = "jdk:" + jdk.vendor() + " " + jdk.runtimeVersion();
        for (Path file : of(runtime)) {
            String relative = DirectoryTree.slashed(runtime.relativize(file));
            String path = Paths.RUNTIME + "/" + relative;
            if (CONFIGURED.stream().anyMatch(relative::startsWith) && Files.isRegularFile(file)) {
                tree.file(path, configured(jdk, relative, file), 0644, origin, Placement.RUNTIME);
            } else if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
                tree.file(
                        path,
                        HostFiles.nativeContent(file, request.runtime().stripNative()),
                        HostFiles.permissions(file),
                        origin,
                        placementInRuntime(relative));
            } else {
                HostFiles.add(tree, path, file, origin);
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

    /** The modules and their class data depend on what the application uses, the rest of a runtime on the JDK alone. */
    private static Placement placementInRuntime(String relative) {
        return relative.equals("lib/modules") || relative.endsWith(".jsa") ? Placement.MODULES : Placement.RUNTIME;
    }
}
