// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.image.ImageTree;
import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.runtime.JarLibraries;
import io.github.javaunikernel.maven.runtime.LibraryClosure;
import io.github.javaunikernel.maven.runtime.LinuxSystem;
import io.github.javaunikernel.maven.runtime.SystemRoot;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** What an image takes from a Linux system: from the first of several, unless a later one has what that lacks. */
final class SystemLibraries {

    private final LinuxSystem system;
    private final Path root;
    private final Optional<Fonts> fonts;
    private final Map<String, Path> files;
    private final Map<String, String> reasons;
    /** Names of what the program may want and the system does not have. */
    private final Set<String> missing = new TreeSet<>();

    private final List<String> warnings = new ArrayList<>();

    private SystemLibraries(
            LinuxSystem system,
            Path root,
            ImageRequest request,
            JarLibraries jars,
            Optional<JavaProgram> java,
            ImageTree tree)
            throws IOException, SettingException {
        this.system = system;
        this.root = root;
        SystemRoot libraries = new SystemRoot(root, system.name());
        LibraryClosure closure = new LibraryClosure(libraries);
        if (java.isPresent()) {
            closure.add(RuntimeFiles.of(java.get().runtime()));
        }
        List<Path> own = HostFiles.own(request);
        closure.addOwn(own).addJars(jars);
        closure.addOwn(request.application().others().stream()
                .map(Application.Jar::file)
                .toList());
        for (Map.Entry<String, String> opening : opened(java).entrySet()) {
            if (!closure.addNamed(opening.getKey(), opening.getValue())) {
                lacks(
                        opening.getKey(),
                        "The native library " + opening.getKey() + ", which " + opening.getValue()
                                + " of the runtime opens, is missing in " + system.name()
                                + ". Install the package that has it, if the application uses it.");
            }
        }
        fonts = java.isPresent() && RuntimeFiles.isDrawing(java.get())
                ? Optional.of(new Fonts(
                        libraries,
                        tree,
                        own.stream().map(DirectoryTree::slashed).toList()))
                : Optional.empty();
        if (fonts.isPresent()) {
            fonts.get().addLibrary(closure).ifPresent(warning -> lacks("fonts", warning));
        }
        files = closure.resolve();
        reasons = closure.reasons();
        missing.addAll(closure.missing());
        warnings.addAll(closure.unresolved());
    }

    private static Map<String, String> opened(Optional<JavaProgram> java) {
        return java.map(program -> RuntimeFiles.openedByName(program.runtime())).orElse(Map.of());
    }

    private void lacks(String what, String warning) {
        missing.add(what);
        warnings.add(warning);
    }

    /**
     * Looks through the systems.
     *
     * @param tree the image with the user's files
     * @param progress gets a line if it is not the first of them
     * @throws SettingException if none has what the runtime and the user's programs cannot start without, or if the
     *     first cannot be had
     */
    static SystemLibraries choose(
            ImageRequest request, Optional<JavaProgram> java, ImageTree tree, Consumer<String> progress)
            throws IOException, SettingException {
        JarLibraries jars = new JarLibraries(request.application().allJars());
        SystemLibraries chosen = null;
        SettingException refused = null;
        for (LinuxSystem system : request.runtime().systems()) {
            if (chosen != null && chosen.missing.isEmpty()) {
                break;
            }
            Optional<Path> root = root(system, chosen == null && refused == null, progress);
            if (root.isEmpty()) {
                continue;
            }
            try {
                SystemLibraries next = new SystemLibraries(system, root.get(), request, jars, java, tree);
                if (chosen == null || next.hasMoreThan(chosen)) {
                    Optional<String> reason = chosen != null
                            ? Optional.of(next.advantageOver(chosen))
                            : Optional.ofNullable(refused).map(SettingException::problem);
                    reason.ifPresent(
                            text -> progress.accept("Native libraries come from " + system.name() + ". " + text));
                    chosen = next;
                }
            } catch (SettingException e) {
                refused = e;
            }
        }
        if (chosen == null) {
            throw refused;
        }
        return chosen;
    }

    /** Its root directory, or nothing where it cannot be had and others may do. */
    private static Optional<Path> root(LinuxSystem system, boolean first, Consumer<String> progress)
            throws IOException, SettingException {
        try {
            return Optional.of(system.source().root());
        } catch (SettingException e) {
            if (first) {
                throw e;
            }
            progress.accept("Native libraries are not looked for in " + system.name() + ". " + e.problem());
            return Optional.empty();
        }
    }

    private boolean hasMoreThan(SystemLibraries other) {
        return other.missing.containsAll(missing) && missing.size() < other.missing.size();
    }

    private String advantageOver(SystemLibraries other) {
        return "It has "
                + other.missing.stream().filter(name -> !missing.contains(name)).collect(Collectors.joining(", "))
                + "; " + other.system.name() + " does not.";
    }

    /** The root directory of the system. */
    Path root() {
        return root;
    }

    /** Each path in the image with the file it comes from. */
    Map<String, Path> files() {
        return files;
    }

    /** For each path in the image, why it is there. */
    Map<String, String> reasons() {
        return reasons;
    }

    /** What is there for a program that draws text. */
    Optional<Fonts> fonts() {
        return fonts;
    }

    /** A sentence or more for each thing that will not work, with what to do about it. */
    List<String> warnings() {
        return warnings;
    }
}
