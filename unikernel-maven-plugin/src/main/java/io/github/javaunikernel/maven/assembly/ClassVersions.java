// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.runtime.Jar;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Makes sure that the runtime can load the classes. A class file that is newer than it is an error when it is the main
 * class, or when most of its jar is as new and the jar is on the class path. A few such classes in a jar are a warning,
 * since libraries carry classes that they load on newer versions of Java only; so is a whole jar that the program loads
 * by itself, since servers carry such jars in their directories.
 */
final class ClassVersions {

    /** Class files of Java N have the version 44 + N (JVMS table 4.1-A). */
    private static final int BEFORE_FIRST = 44;

    private static final int HEADER = 8;

    private final int newest;
    private final Consumer<String> warnings;

    ClassVersions(int newest, Consumer<String> warnings) {
        this.newest = newest;
        this.warnings = warnings;
    }

    /**
     * Looks at every class.
     *
     * @param classPath its jars
     * @param others jars that the program loads by itself, or not at all
     */
    void check(List<Path> classPath, List<Path> others, String mainClass) throws IOException, SettingException {
        for (Path jar : classPath) {
            check(jar, mainClass.replace('.', '/') + ".class", true);
        }
        for (Path jar : others) {
            check(jar, mainClass.replace('.', '/') + ".class", false);
        }
    }

    private void check(Path jar, String mainEntry, boolean needed) throws IOException, SettingException {
        Jar.read(jar, open -> {
            check(open, jar, mainEntry, needed);
            return open;
        });
    }

    private void check(ZipFile zip, Path jar, String mainEntry, boolean needed) throws IOException, SettingException {
        int classes = 0;
        int tooNew = 0;
        String example = null;
        for (ZipEntry entry : (Iterable<ZipEntry>) zip.stream().map(ZipEntry.class::cast)::iterator) {
            String name = entry.getName();
            if (!name.endsWith(".class") || name.startsWith("META-INF/") || name.endsWith("module-info.class")) {
                continue;
            }
            int version = version(zip, entry);
            classes++;
            if (version > newest) {
                tooNew++;
                example = example == null || name.equals(mainEntry) ? described(name, version) : example;
                if (name.equals(mainEntry)) {
                    throw refused(jar, example);
                }
            }
        }
        if (needed && tooNew * 2 > classes) {
            throw refused(jar, example);
        }
        if (tooNew > 0) {
            warnings.accept(jar.getFileName() + " has " + tooNew + " of " + classes + " classes that Java " + newest
                    + " cannot load, such as " + example + ". Set jdkHome to a newer JDK if they are in use.");
        }
    }

    private static int version(ZipFile zip, ZipEntry entry) throws IOException {
        try (InputStream in = zip.getInputStream(entry)) {
            byte[] header = in.readNBytes(HEADER);
            return header.length < HEADER ? 0 : ((header[6] & 0xFF) << 8 | header[7] & 0xFF) - BEFORE_FIRST;
        }
    }

    private static String described(String entry, int version) {
        return entry.substring(0, entry.length() - ".class".length()).replace('/', '.') + ", compiled for Java "
                + version;
    }

    private SettingException refused(Path jar, String example) {
        return new SettingException(
                "jdkHome",
                "The runtime is Java " + newest + " and cannot load " + jar.getFileName() + ": it has the class "
                        + example + ".",
                "Set it to a JDK of that version or later, or compile for Java " + newest
                        + " ('maven.compiler.release', or an older version of the dependency).");
    }
}
