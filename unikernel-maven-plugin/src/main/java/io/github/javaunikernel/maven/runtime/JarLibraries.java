// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;

/**
 * Native libraries inside of jars, which programs extract and load by themselves: of Netty, SQLite, JNA and many
 * others. Such a jar has one for each system; those of glibc on x86-64 count here.
 */
public final class JarLibraries {

    /** What a C library consists of on every system; musl has the one file alone. */
    private static final Pattern C_LIBRARY = Pattern.compile("lib(c|m|dl)\\.so[.0-9]*|libc\\.musl-.*");

    private static final Set<String> GLIBC = Set.of("libc.so.6", "libm.so.6", "libdl.so.2");

    private final List<JarLibrary> all = new ArrayList<>();

    /** Reads the jars. */
    public JarLibraries(List<Path> jars) throws IOException {
        for (Path jar : jars) {
            all.addAll(in(jar));
        }
    }

    /** The libraries in all of the jars. */
    List<JarLibrary> all() {
        return all;
    }

    /**
     * A library in a jar.
     *
     * @param place the jar and the name in it, for messages
     * @param name without directories
     * @param opened libraries it names, and may open by name
     */
    record JarLibrary(String place, String name, ElfFile elf, List<String> opened) {}

    private static List<JarLibrary> in(Path jar) throws IOException {
        return Jar.read(jar, open -> in(open, jar.getFileName().toString()));
    }

    private static List<JarLibrary> in(ZipFile zip, String jar) throws IOException {
        List<JarLibrary> libraries = new ArrayList<>();
        for (ZipEntry entry : (Iterable<ZipEntry>) zip.stream().map(ZipEntry.class::cast)::iterator) {
            String name = entry.getName().substring(entry.getName().lastIndexOf('/') + 1);
            if (isNamedLikeALibrary(name) && isUsable(zip, entry)) {
                JarLibrary library = read(zip, entry, jar + "!/" + entry.getName(), name);
                if (library.elf().needed().stream().noneMatch(JarLibraries::isOfOtherSystem)) {
                    libraries.add(library);
                }
            }
        }
        return libraries;
    }

    /** Some other systems leave no mark in the header: Android, DragonFly, OpenBSD and older Solaris. */
    private static boolean isOfOtherSystem(String needed) {
        return C_LIBRARY.matcher(needed).matches() && !GLIBC.contains(needed);
    }

    private static boolean isNamedLikeALibrary(String name) {
        return name.endsWith(".so") || name.contains(".so.");
    }

    private static boolean isUsable(ZipFile zip, ZipEntry entry) throws IOException {
        try (InputStream in = zip.getInputStream(entry)) {
            return ElfFile.isUsable(in.readNBytes(ElfFile.HEADER_SIZE));
        }
    }

    private static JarLibrary read(ZipFile zip, ZipEntry entry, String place, String name) throws IOException {
        Path extracted = Files.createTempFile("unikernel", ".so");
        try (InputStream in = zip.getInputStream(entry)) {
            FileTrouble.on(extracted, () -> Files.copy(in, extracted, StandardCopyOption.REPLACE_EXISTING));
            return new JarLibrary(place, name, ElfFile.read(extracted).orElseThrow(), OpenedLibraries.in(extracted));
        } catch (ExplainedException | EOFException | ZipException e) {
            throw new ExplainedException(
                    zip.getName() + " has a damaged native library, " + entry.getName() + ". Replace the jar.", e);
        } finally {
            Files.delete(extracted);
        }
    }
}
