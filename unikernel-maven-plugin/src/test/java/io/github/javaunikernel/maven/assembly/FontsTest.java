// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.image.ImageTree;
import io.github.javaunikernel.maven.runtime.LibraryClosure;
import io.github.javaunikernel.maven.runtime.SystemRoot;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On made-up systems. */
class FontsTest {

    @TempDir
    private Path root;

    private final List<String> warnings = new ArrayList<>();
    private final ImageTree tree = new ImageTree();

    @BeforeEach
    void installFontconfig() throws IOException {
        put("usr/lib64/libfontconfig.so.1");
        put("etc/fonts/fonts.conf");
        put("usr/share/fontconfig/conf.avail/10-a.conf");
        Files.createDirectories(root.resolve("etc/fonts/conf.d"));
        Files.createSymbolicLink(
                root.resolve("etc/fonts/conf.d/10-a.conf"), Path.of("/usr/share/fontconfig/conf.avail/10-a.conf"));
    }

    @Test
    void oneFamilyIsTakenWithTheConfiguration() throws Exception {
        for (String font : List.of(
                "dejavu/DejaVuSans.ttf",
                "dejavu/DejaVuSans-Bold.ttf",
                "dejavu/DejaVuSans-Oblique.ttf",
                "dejavu/DejaVuSerif.ttf",
                "liberation/LiberationSans-Regular.ttf",
                "a/Another.otf")) {
            put("usr/share/fonts/truetype/" + font);
        }
        add(List.of());
        assertEquals(List.of(), warnings);
        assertTrue(tree.holdsFile("/etc/fonts/fonts.conf") && tree.holdsFile("/etc/fonts/conf.d/10-a.conf"));
        for (String font : List.of("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif")) {
            assertTrue(tree.holdsFile("/usr/share/fonts/truetype/dejavu/" + font + ".ttf"), font);
        }
        for (String font :
                List.of("dejavu/DejaVuSans-Oblique.ttf", "liberation/LiberationSans-Regular.ttf", "a/Another.otf")) {
            assertTrue(!tree.holdsFile("/usr/share/fonts/truetype/" + font), font);
        }
    }

    @Test
    void anyFontIsBetterThanNoneAndTheUsersIsBest() throws Exception {
        put("usr/share/fonts/a/Another.otf");
        put("usr/share/fonts/a/Third.ttf");
        add(List.of("usr/share/fonts/Own.ttf"));
        assertTrue(!tree.holdsFile("/usr/share/fonts/a/Another.otf"));
        add(List.of());
        assertTrue(tree.holdsFile("/usr/share/fonts/a/Another.otf") && !tree.holdsFile("/usr/share/fonts/a/Third.ttf"));
        assertEquals(List.of(), warnings);
    }

    @Test
    void whatIsMissingIsSaidWithWhatToInstall() throws Exception {
        add(List.of());
        assertEquals(
                "[The application draws text, which will fail: " + root + " has no font in /usr/share/fonts. Install"
                        + " fontconfig and a font (Debian: fontconfig and fonts-dejavu-core; Fedora: fontconfig and"
                        + " dejavu-sans-fonts), or set sysroot to the root directory of a system that has them.]",
                warnings.toString());
        Files.delete(root.resolve("usr/lib64/libfontconfig.so.1"));
        add(List.of("usr/share/fonts/Own.ttf"));
        assertTrue(warnings.get(1).contains(root + " has no libfontconfig.so.1. Install"), warnings.toString());
    }

    private void add(List<String> userFiles) throws IOException {
        Fonts fonts = new Fonts(new SystemRoot(root), tree, userFiles);
        fonts.addLibrary(new LibraryClosure(new SystemRoot(root))).ifPresent(warnings::add);
        fonts.add();
    }

    private void put(String path) throws IOException {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), path);
    }
}
