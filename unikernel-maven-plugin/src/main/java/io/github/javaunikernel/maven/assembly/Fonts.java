// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.image.FileContent;
import io.github.javaunikernel.maven.image.ImageTree;
import io.github.javaunikernel.maven.image.Placement;
import io.github.javaunikernel.maven.runtime.LibraryClosure;
import io.github.javaunikernel.maven.runtime.SystemRoot;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What Java needs to draw text without a display: the library fontconfig, its configuration, and a font of each of the
 * usual kinds, all from a Linux system. Fonts among the user's own files take the place of those.
 */
final class Fonts {

    /** The library of the runtime that draws text. */
    static final String USER = "lib/libfontmanager.so";

    private static final String FONTCONFIG = "libfontconfig.so.1";
    private static final String CONFIGURATION = "/etc/fonts/fonts.conf";
    private static final String CONFIGURATION_PARTS = "/etc/fonts/conf.d";
    private static final List<String> DIRECTORIES = List.of("/usr/share/fonts", "/usr/local/share/fonts");
    private static final Pattern FONT = Pattern.compile(".*\\.(ttf|otf|ttc)");
    /** Families with all kinds, the widest in use first; the first that is there is taken. */
    private static final List<Pattern> FAMILIES = List.of(
            Pattern.compile(".*/DejaVu(Sans|SansMono|Serif)(-Bold)?\\.ttf"),
            Pattern.compile(".*/Liberation(Sans|Mono|Serif)-(Regular|Bold)\\.ttf"),
            Pattern.compile(".*/Noto(Sans|SansMono|Serif)-(Regular|Bold)\\.[ot]tf"));

    private final SystemRoot system;
    private final ImageTree tree;
    private final boolean usersOwn;

    /**
     * Those of a system.
     *
     * @param tree an image that has the user's files already
     * @param userFiles these files, of which some may be fonts
     */
    Fonts(SystemRoot system, ImageTree tree, List<String> userFiles) {
        this.system = system;
        this.tree = tree;
        usersOwn = userFiles.stream().anyMatch(file -> FONT.matcher(file).matches());
    }

    /** Adds the library to a closure; returns a warning if something is missing, so that drawing will fail. */
    Optional<String> addLibrary(LibraryClosure libraries) throws IOException {
        boolean library = libraries.addNamed(FONTCONFIG, "java.desktop");
        boolean configured =
                tree.holdsFile(CONFIGURATION) || system.file(CONFIGURATION).isPresent();
        if (library && configured && (usersOwn || !chosen().isEmpty())) {
            return Optional.empty();
        }
        return Optional.of("The application draws text, which will fail: " + system + " has no "
                + (!library ? FONTCONFIG : !configured ? CONFIGURATION : "font in " + DIRECTORIES.get(0))
                + ". Install fontconfig and a font (Debian: fontconfig and fonts-dejavu-core; Fedora: fontconfig and"
                + " dejavu-sans-fonts), or set sysroot to the root directory of a system that has them.");
    }

    /** Adds the configuration and fonts to the image. */
    void add() throws IOException {
        List<String> paths = new ArrayList<>(List.of(CONFIGURATION));
        paths.addAll(system.pathsBelow(CONFIGURATION_PARTS));
        if (!usersOwn) {
            paths.addAll(chosen());
        }
        for (String path : paths) {
            Optional<Path> file = system.file(path);
            if (file.isPresent() && !tree.holdsFile(path)) {
                tree.file(path, FileContent.of(file.get()), 0644, "system:" + path, Placement.SYSTEM);
            }
        }
    }

    private List<String> chosen() throws IOException {
        List<String> all = new ArrayList<>();
        for (String directory : DIRECTORIES) {
            system.pathsBelow(directory).stream()
                    .filter(path -> FONT.matcher(path).matches())
                    .forEach(all::add);
        }
        for (Pattern family : FAMILIES) {
            List<String> members =
                    all.stream().filter(path -> family.matcher(path).matches()).toList();
            if (!members.isEmpty()) {
                return members;
            }
        }
        return all.subList(0, Math.min(1, all.size()));
    }
}
