// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.image.Ext2Reader;
import io.github.javaunikernel.maven.image.ImageEntry;
import io.github.javaunikernel.maven.inspect.Difference;
import io.github.javaunikernel.maven.inspect.Listing;
import io.github.javaunikernel.maven.settings.SettingException;
import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.BufferedOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Shows what is in an image: {@code list}, {@code tree}, the content of a file ({@code cat}, {@code cp}), or what
 * differs from another image ({@code diff}). Nothing is mounted. With Maven's option {@code -q}, the output is nothing
 * but what was asked for. The goal needs no project if {@code image} is given.
 *
 * @since 0.1.0
 */
@Mojo(name = "inspect", requiresProject = false, threadSafe = true)
public final class InspectMojo extends AbstractImageFilesMojo {

    /**
     * What to show: {@code list}, {@code tree}, {@code cat}, {@code cp} or {@code diff}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.inspect", defaultValue = "list")
    private String inspect;

    /**
     * The image, such as {@code target/shop.img}. The default is the one that the project makes.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.image")
    private File image;

    /**
     * For {@code cat} and {@code cp}, the file in the image, such as {@code /etc/unikernel.conf}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.path")
    private String path;

    /**
     * For {@code cp}, the file to write; for {@code diff}, the older image, such as {@code old/shop.img}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.other")
    private File other;

    /**
     * Whether {@code list} and {@code diff} write JSON.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.json", defaultValue = "false")
    private boolean json;

    /** An image elsewhere can be read without a project. */
    @Override
    boolean isPassedOver() {
        return image == null && super.isPassedOver();
    }

    @Override
    protected void run() throws SettingException, IOException {
        try (Ext2Reader reader = new Ext2Reader(imageFile())) {
            switch (inspect) {
                case "list" ->
                    print(json ? new Listing(reader.entries()).json() : new Listing(reader.entries()).text());
                case "tree" -> print(new Listing(reader.entries()).tree());
                case "cat" -> cat(reader);
                case "cp" -> copy(reader);
                case "diff" -> diff(reader.entries());
                default ->
                    throw new SettingException(
                            "inspect",
                            "'" + inspect + "' is not something that the goal can show.",
                            "Use list, tree, cat, cp or diff.");
            }
        }
    }

    private Path imageFile() {
        return image == null ? directory().resolve(fileName() + ".img") : image.toPath();
    }

    private void cat(Ext2Reader reader) throws SettingException, IOException {
        OutputStream out = new BufferedOutputStream(System.out);
        reader.copy(wantedPath(reader), out);
        out.flush();
    }

    private void copy(Ext2Reader reader) throws SettingException, IOException {
        Path to = wantedOther("Name the file to write with -Dunikernel.other.");
        if (!Files.isDirectory(to.toAbsolutePath().getParent())) {
            throw new SettingException(
                    "other",
                    "There is no directory " + to.toAbsolutePath().getParent() + ".",
                    "Create it, or correct the path.");
        }
        String from = wantedPath(reader);
        WholeFile.write(to, part -> {
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(part))) {
                reader.copy(from, out);
            }
        });
        getLog().info("Copied " + from + " to " + to);
    }

    private void diff(List<ImageEntry> entries) throws SettingException, IOException {
        try (Ext2Reader older = new Ext2Reader(wantedOther("Name the older image with -Dunikernel.other."))) {
            Difference difference = new Difference(older.entries(), entries);
            print(json ? difference.json() : difference.text());
        }
    }

    private String wantedPath(Ext2Reader reader) throws SettingException, IOException {
        if (path == null) {
            throw new SettingException(
                    "path", inspect + " needs a file of the image.", "Name it, such as /etc/unikernel.conf.");
        }
        if (!reader.holdsFile(path)) {
            throw new SettingException(
                    "path",
                    "The image has no file " + path + ".",
                    "Name one of those that -Dunikernel.inspect=list shows.");
        }
        return path;
    }

    private Path wantedOther(String fix) throws SettingException {
        if (other == null) {
            throw new SettingException("other", inspect + " needs a second file.", fix);
        }
        return other.toPath();
    }

    /** Without the prefixes and colours of a log. */
    private static void print(String text) {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        out.print(text);
        out.flush();
    }

    @Override
    protected Map<String, File> fileParameters() {
        Map<String, File> files = new HashMap<>(
                Map.of(image == null ? "imageName" : "image", imageFile().toFile()));
        if (other != null) {
            files.put("other", other);
        }
        return files;
    }
}
