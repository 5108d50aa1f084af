// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;

/**
 * A tar.gz or zip. Nothing in it is written outside of the directory that it is unpacked into: names that lead out of
 * it are refused, and links become copies of the files that they lead to, which also suits systems without links.
 */
final class Archive {

    private static final String GZIP = "1f8b";
    private static final String ZIP = "504b0304";
    /** The x of the owner (chmod(1)). */
    private static final int EXECUTABLE = 0100;

    private final String parameter;
    private final Path file;
    private Path directory;
    private final List<Link> links = new ArrayList<>();

    /** A link, and the file of the archive that it leads to. */
    private record Link(Path place, Path target, String name) {}

    /**
     * An archive.
     *
     * @param parameter that names it, for messages
     */
    Archive(String parameter, Path file) {
        this.parameter = parameter;
        this.file = file;
    }

    /** Unpacks all of it into a directory that is not there yet. */
    void unpack(Path into) throws SettingException, IOException {
        directory = into.toAbsolutePath().normalize();
        Unpacking.run(parameter, file, directory, "download it again", this::unpackEntries);
    }

    private void unpackEntries() throws SettingException, IOException {
        String start = start();
        if (start.startsWith(GZIP)) {
            unpackTar();
        } else if (start.startsWith(ZIP)) {
            unpackZip();
        } else {
            throw new SettingException(
                    parameter, file + " is neither a directory, a tar.gz nor a zip.", "Name one of those.");
        }
        copyLinks();
    }

    private String start() throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return HexFormat.of().formatHex(in.readNBytes(ZIP.length() / 2));
        }
    }

    private void unpackTar() throws IOException, SettingException {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(file), 1 << 16);
                TarArchiveInputStream tar = new TarArchiveInputStream(in)) {
            for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
                Path place = inside(entry.getName(), directory.resolve(entry.getName()));
                if (entry.isDirectory()) {
                    Files.createDirectories(place);
                } else if (entry.isSymbolicLink()) {
                    link(entry.getName(), place, place.resolveSibling(entry.getLinkName()));
                } else if (entry.isLink()) {
                    link(entry.getName(), place, directory.resolve(entry.getLinkName()));
                } else if (entry.isCharacterDevice() || entry.isBlockDevice() || entry.isFIFO()) {
                    throw refused(entry.getName(), "is neither a file, a directory nor a link");
                } else {
                    write(tar, place, entry.getMode());
                }
            }
            // What follows the end of the tar belongs to the checksum of the gzip.
            in.transferTo(OutputStream.nullOutputStream());
        }
    }

    private void unpackZip() throws IOException, SettingException {
        try (ZipFile zip = ZipFile.builder().setPath(file).get()) {
            for (Enumeration<ZipArchiveEntry> entries = zip.getEntriesInPhysicalOrder(); entries.hasMoreElements(); ) {
                ZipArchiveEntry entry = entries.nextElement();
                Path place = inside(entry.getName(), directory.resolve(entry.getName()));
                if (entry.isDirectory()) {
                    Files.createDirectories(place);
                    continue;
                }
                try (CheckedInputStream in = new CheckedInputStream(zip.getInputStream(entry), new CRC32())) {
                    if (entry.isUnixSymlink()) {
                        String target = new String(in.readAllBytes(), StandardCharsets.UTF_8);
                        link(entry.getName(), place, place.resolveSibling(target));
                    } else {
                        write(in, place, entry.getUnixMode());
                    }
                    if (in.getChecksum().getValue() != entry.getCrc()) {
                        throw refused(entry.getName(), "is damaged");
                    }
                }
            }
        }
    }

    private static void write(InputStream in, Path place, int mode) throws IOException {
        Files.createDirectories(place.getParent());
        FileTrouble.on(place, () -> Files.copy(in, place));
        if ((mode & EXECUTABLE) != 0 && !place.toFile().setExecutable(true, false)) {
            throw new ExplainedException(
                    place + " cannot be made executable. Choose a cacheDirectory on another file system.");
        }
    }

    private void link(String name, Path place, Path target) throws SettingException {
        links.add(new Link(place, inside(name, target), name));
    }

    /** One may lead to another, so that several rounds may be needed. */
    private void copyLinks() throws IOException, SettingException {
        while (!links.isEmpty()) {
            int before = links.size();
            for (Iterator<Link> left = links.iterator(); left.hasNext(); ) {
                Link link = left.next();
                if (Files.isRegularFile(link.target())) {
                    Files.createDirectories(link.place().getParent());
                    FileTrouble.on(link.place(), () -> Files.copy(link.target(), link.place()));
                    left.remove();
                }
            }
            if (links.size() == before) {
                throw refused(links.get(0).name(), "is a link to no file of the archive");
            }
        }
    }

    private Path inside(String name, Path path) throws SettingException {
        Path normal = path.normalize();
        if (!normal.startsWith(directory)) {
            throw refused(name, "leads out of the archive");
        }
        return normal;
    }

    private SettingException refused(String name, String why) {
        return new SettingException(
                parameter, file + " is refused: " + name + " in it " + why + ".", "Download it again from its vendor.");
    }
}
