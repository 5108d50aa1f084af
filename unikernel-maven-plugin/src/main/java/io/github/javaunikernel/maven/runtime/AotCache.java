// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The JVM's AOT cache of an application (JEP 483, 514 and 515): its classes, linked in advance, and profiles of its
 * methods, both from a recording of a start. A JVM that runs with a cache does not see that a jar has changed since,
 * and one that makes it compares sizes and times only, so a recording bears the name of the runtime and the jars it is
 * of.
 */
public record AotCache(ApplicationInput input) {

    /** Raised when the way of recording or of making caches changes. */
    private static final String FORMAT = "aot 1";

    private static final String CACHE = "app.aot";
    /** The first version whose recordings hold profiles, and are in the form that is used here. */
    private static final int RECORDS = 25;

    /** Whether the JVM of this JDK can record a start. */
    public static boolean canRecord(JavaHome jdk) {
        return jdk.feature() >= RECORDS;
    }

    /** The name of a recording for this runtime and these jars. */
    public String key() throws IOException {
        return input.key(FORMAT);
    }

    /** The file of the recording with a name among the files of an image. */
    public static Path recording(Path directory, String image, String key) {
        return directory.resolve(image + "." + key + ".aotrecording");
    }

    /**
     * The cache, which is made when the cache directory does not hold it.
     *
     * @param limit for the size of all that is kept there in bytes, 0 for none
     */
    public ApplicationClassData.Archive archive(Path recording, Path cache, long limit)
            throws IOException, SettingException {
        RuntimeCache.Entry entry = new RuntimeCache(cache, limit)
                .get(
                        RuntimeCache.Kind.CLASS_DATA,
                        input.key(FORMAT, Checksum.of(recording)),
                        content -> make(recording, content));
        return new ApplicationClassData.Archive(entry.path().resolve(CACHE), entry.fresh(), false);
    }

    private void make(Path recording, Path entry) throws IOException, SettingException {
        Files.createDirectories(entry);
        try {
            Tool.run(command(recording, entry.resolve(CACHE)), input.directory());
        } catch (ToolException e) {
            throw new SettingException(
                    "cds",
                    "The AOT cache cannot be made of " + recording + ": " + OptionProof.shortened(e.output()),
                    "Record it again with 'mvn unikernel:train', or set it to app.",
                    e);
        }
    }

    /** Objects of a heap can be kept only by the first of the JVM's collectors; the others can read them. */
    private List<String> command(Path recording, Path cache) {
        return List.of(
                input.runtime().resolve("bin/java").toString(),
                "-XX:AOTMode=create",
                "-XX:AOTConfiguration=" + recording.toAbsolutePath(),
                "-XX:AOTCache=" + cache.toAbsolutePath(),
                "-XX:+UseG1GC",
                "-Xmx256m",
                "-cp",
                input.joinedClassPath());
    }
}
