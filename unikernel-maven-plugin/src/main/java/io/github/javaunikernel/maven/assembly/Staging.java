// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;

/**
 * A copy of what an image has of the application's jars, in a directory that stands for the working directory of the
 * guest: the JVM finds them there by the same relative paths, with the same times.
 */
final class Staging implements Closeable {

    private final Path directory;
    private final List<String> classPath = new ArrayList<>();

    private Staging(Path directory) {
        this.directory = directory;
    }

    static Staging of(ImageRequest request) throws IOException {
        Staging staging = new Staging(Files.createTempDirectory("unikernel-application"));
        try {
            staging.fill(request);
            return staging;
        } catch (IOException e) {
            staging.close();
            throw e;
        }
    }

    Path directory() {
        return directory;
    }

    /** The class path, relative to the directory. */
    List<String> classPath() {
        return List.copyOf(classPath);
    }

    @Override
    public void close() throws IOException {
        DirectoryTree.delete(directory);
    }

    private void fill(ImageRequest request) throws IOException {
        FileTime time = FileTime.from(request.time());
        for (Application.Jar jar : request.application().placedJars()) {
            copy(jar, time);
            classPath.add(relative(jar.place()));
        }
        // A jar of the class path may name further ones in its manifest.
        for (Application.Jar other : request.application().others()) {
            if (other.place().endsWith(".jar") && !classPath.contains(relative(other.place()))) {
                copy(other, time);
            }
        }
    }

    private void copy(Application.Jar jar, FileTime time) throws IOException {
        Path copy = directory.resolve(relative(jar.place()));
        Files.createDirectories(copy.getParent());
        FileTrouble.on(copy, () -> Files.copy(jar.file(), copy));
        Files.setLastModifiedTime(copy, time);
    }

    private static String relative(String place) {
        return place.substring(Paths.APPLICATION.length() + 1);
    }
}
