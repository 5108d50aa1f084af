// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.jar.Attributes;
import java.util.jar.JarFile;
import java.util.jar.Manifest;

/** Jars that are read: the only place that opens them, so that one that is damaged is always named. */
public final class Jar {

    /** Work on an open jar, which may also throw another exception. */
    public interface Reader<T, E extends Exception> {
        /** Does it. */
        T read(JarFile jar) throws IOException, E;
    }

    private Jar() {}

    /** Opens a jar, passes it to the reader, and closes it. */
    public static <T, E extends Exception> T read(Path jar, Reader<T, E> reader) throws IOException, E {
        if (!Files.exists(jar)) {
            throw new NoSuchFileException(jar.toString());
        }
        if (!Files.isReadable(jar)) {
            throw new AccessDeniedException(jar.toString());
        }
        try (JarFile file = new JarFile(jar.toFile())) {
            return reader.read(file);
        } catch (FileSystemException | ExplainedException e) {
            throw e;
        } catch (IOException e) {
            throw new ExplainedException(
                    jar + " cannot be read as a jar: " + FileTrouble.reason(e) + ". Build it"
                            + " again; if it was downloaded, delete it from the local repository, and Maven "
                            + "downloads it"
                            + " again.",
                    e);
        }
    }

    /** The main attributes of the manifest; none for a jar without a manifest. */
    public static Attributes attributes(Path jar) throws IOException {
        return read(jar, Jar::attributes);
    }

    private static Attributes attributes(JarFile jar) throws IOException {
        Manifest manifest = jar.getManifest();
        return manifest == null ? new Attributes() : manifest.getMainAttributes();
    }
}
