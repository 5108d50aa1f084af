// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A class-data archive of the JDK and an application, in place of the JDK's own. The JVM takes it only with the very
 * runtime and jars that it was made of.
 *
 * @param linked whether the classes are also linked in advance, which Java 25 and later can do
 */
public record ApplicationClassData(ApplicationInput input, ClassList list, boolean linked) {

    /** Raised when the way of making archives changes. */
    private static final String FORMAT = "1";

    private static final String ARCHIVE = "classes.jsa";
    private static final int LINKS = 25;

    /** Whether the JVM of this JDK can link classes in advance; options of a start may rule it out. */
    public static boolean canLink(JavaHome jdk) {
        return jdk.feature() >= LINKS;
    }

    /**
     * An archive.
     *
     * @param fresh whether it was made now rather than found
     * @param repeated whether it was made twice with the same bytes, if it is fresh
     */
    public record Archive(Path file, boolean fresh, boolean repeated) {}

    /**
     * The archive, which is made when the cache directory does not hold it.
     *
     * @param limit for the size of all that is kept there in bytes, 0 for none
     */
    public Archive archive(Path cache, long limit) throws IOException, SettingException {
        AtomicBoolean repeated = new AtomicBoolean(true);
        String key = input.key(FORMAT, String.valueOf(linked), list.text());
        RuntimeCache.Entry entry = new RuntimeCache(cache, limit)
                .get(RuntimeCache.Kind.CLASS_DATA, key, content -> repeated.set(dump(content)));
        return new Archive(entry.path().resolve(ARCHIVE), entry.fresh(), repeated.get());
    }

    private boolean dump(Path entry) throws IOException, SettingException {
        Path listed = Files.createDirectories(entry).resolve("classlist");
        FileTrouble.on(listed, () -> Files.writeString(listed, list.text()));
        List<String> options = new ArrayList<>(List.of(
                "-Xmx256m", "-XX:SharedClassListFile=" + listed.toAbsolutePath(), "-cp", input.joinedClassPath()));
        if (linked) {
            options.add(0, "-XX:+AOTClassLinking");
        }
        try {
            return new ClassData(input.jdk(), input.runtime()).dump(entry.resolve(ARCHIVE), input.directory(), options);
        } catch (ToolException e) {
            throw new SettingException(
                    "cds",
                    "The class data of the application cannot be made: " + OptionProof.shortened(e.output()),
                    "Record the list again with 'mvn unikernel:train', or set it to jdk.",
                    e);
        }
    }
}
