// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import io.github.javaunikernel.maven.image.Ext2Reader;
import io.github.javaunikernel.maven.image.ImageEntry;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What is made of the memory of a machine.
 *
 * @param core the program, for gdb and jhsdb
 * @param report about the kernel, as text
 * @param files directory with those files of the image that the program has mapped, by their paths in the guest
 */
public record CoreDump(Path core, Path report, Path files) {

    private static final String CORE = ".core";
    private static final String REPORT = ".core.txt";
    private static final String FILES = ".core.files";

    /**
     * What is said of a core file.
     *
     * @param program in the directory with the files
     * @param withoutSymbols the paths of programs and libraries in the guest of which no original was found
     */
    public record Result(Path program, List<String> withoutSymbols) {}

    /** The files for an image of this name. */
    public static CoreDump of(Path directory, String imageName) {
        return new CoreDump(
                directory.resolve(imageName + CORE),
                directory.resolve(imageName + REPORT),
                directory.resolve(imageName + FILES));
    }

    /**
     * Writes all of them.
     *
     * @param memory of the machine
     * @param image that the machine ran
     * @param symbols the files of this machine that those of the image were made of
     * @return what is said of it
     */
    public Result write(Path memory, Path image, SymbolFiles symbols) throws IOException {
        try (GuestState guest = FileTrouble.on(memory, () -> GuestState.open(memory))) {
            WholeFile.write(report, part -> Files.writeString(part, KernelReport.of(guest)));
            List<String> copied = copyFiles(guest, image);
            WholeFile.write(core, part -> CoreFile.write(guest, files, part));
            return new Result(files.resolve(guest.executable().replaceFirst("^/+", "")), restore(copied, symbols));
        }
    }

    /** The core file has the pages of the image's files, so that these come later. */
    private List<String> restore(List<String> copied, SymbolFiles symbols) throws IOException {
        List<String> without = new ArrayList<>();
        for (String path : copied) {
            Path file = files.resolve(path.substring(1));
            if (SymbolFiles.concerns(file) && !symbols.restore(path, file)) {
                without.add(path);
            }
        }
        return without;
    }

    /** Returns the paths of those that were copied. */
    private List<String> copyFiles(GuestState guest, Path image) throws IOException {
        List<String> copied = new ArrayList<>();
        Set<String> wanted = new TreeSet<>();
        guest.areas().stream()
                .map(Area::file)
                .filter(file -> file != null && isBelow(file))
                .forEach(wanted::add);
        try (Ext2Reader reader = new Ext2Reader(image)) {
            for (ImageEntry entry : reader.entries()) {
                if (entry.type().equals("file") && wanted.contains(entry.path())) {
                    copy(reader, entry.path());
                    copied.add(entry.path());
                }
            }
        }
        return copied;
    }

    /** The dump is not trusted. */
    private boolean isBelow(String file) {
        Path path = files.resolve(file.substring(1));
        return path.normalize().equals(path) && path.startsWith(files);
    }

    private void copy(Ext2Reader reader, String path) throws IOException {
        Path to = files.resolve(path.substring(1));
        Files.createDirectories(to.getParent());
        WholeFile.write(to, part -> {
            try (OutputStream out = Files.newOutputStream(part)) {
                reader.copy(path, out);
            }
        });
    }
}
