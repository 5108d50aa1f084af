// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.GivenOptions;
import io.github.javaunikernel.maven.runtime.ApplicationClassData;
import io.github.javaunikernel.maven.runtime.ClassDataMode;
import io.github.javaunikernel.maven.runtime.JavaHome;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which class data an image gets, considering everything that would make the JVM ignore them.
 *
 * @param trainable whether the classes of the application can be in an archive at all
 * @param note why it is less than was wanted, or empty
 */
record ClassDataChoice(ClassDataMode mode, boolean trainable, String note) {

    /** Options with which HotSpot maps no archive of the kind that the plugin makes. */
    private static final String NO_ARCHIVE = "-Xshare:off|-XX:-UseSharedSpaces|-XX:\\+UseZGC|-XX:-UseCompressedOops"
            + "|-XX:-UseCompressedClassPointers|-XX:\\+UseCompactObjectHeaders|-XX:ObjectAlignmentInBytes=(?!8$).*"
            + "|--(patch-module|upgrade-module-path|limit-modules).*";
    /** Options that name another archive, or keep the application's classes out of one. */
    private static final String NOT_OF_APPLICATION = "-XX:(SharedArchiveFile|ArchiveClassesAtExit|AOTCache"
            + "|AOTCacheOutput|AOTConfiguration|AOTMode)=.*|-XX:\\+AutoCreateSharedArchive"
            + "|-Djava\\.system\\.class\\.loader=.*";
    /** With these HotSpot does without the modules of an archive, and so without classes that are linked in advance. */
    private static final String NOT_LINKED = "-javaagent:.*|-agentlib:.*|-agentpath:.*|-Xrun.*"
            + "|--(add-modules|add-exports|add-opens|add-reads|enable-native-access).*";

    private static final Pattern HEAP = Pattern.compile("-Xmx(\\d{1,9})([mMgG])");
    /** In MiB; from here on references have 8 bytes (HotSpot's CompressedOops), and an archive has those of 4. */
    private static final long LARGE_HEAP = 32 << 10;

    /**
     * Chooses.
     *
     * @param options all those that the guest's JVM gets
     */
    static ClassDataChoice of(ClassDataMode wanted, Application application, Launch launch, GivenOptions options) {
        Optional<String> noArchive = withoutArchive(options);
        Optional<String> notOfApplication = withoutApplication(options, application, launch);
        boolean trainable = noArchive.isEmpty() && notOfApplication.isEmpty();
        if (wanted == ClassDataMode.OFF) {
            return new ClassDataChoice(ClassDataMode.OFF, trainable, "");
        }
        if (noArchive.isPresent()) {
            return new ClassDataChoice(
                    ClassDataMode.OFF,
                    false,
                    "The image has no class data, since the JVM would ignore them: " + noArchive.get());
        }
        if (wanted.isOfApplication() && notOfApplication.isPresent()) {
            return new ClassDataChoice(
                    ClassDataMode.JDK, false, "The image has class data of the JDK only: " + notOfApplication.get());
        }
        return new ClassDataChoice(wanted, trainable, "");
    }

    /** Whether classes can be linked in advance for a start with these options. */
    static boolean isLinked(JavaHome jdk, GivenOptions options) {
        return ApplicationClassData.canLink(jdk) && first(options, NOT_LINKED).isEmpty();
    }

    private static Optional<String> withoutArchive(GivenOptions given) {
        if (given.all().stream().anyMatch(ClassDataChoice::isLargeHeap)) {
            return Optional.of("its heap is 32 GiB or larger");
        }
        return first(given, NO_ARCHIVE).map(option -> "the option " + option);
    }

    private static Optional<String> withoutApplication(GivenOptions given, Application application, Launch launch) {
        if (application.asModule()) {
            return Optional.of("the application runs as a module");
        }
        if (launch.hasAgent()) {
            return Optional.of("the manifest of the application names an agent");
        }
        return first(given, NOT_OF_APPLICATION).map(option -> "the option " + option);
    }

    private static Optional<String> first(GivenOptions given, String expression) {
        return given.all().stream().filter(option -> option.matches(expression)).findFirst();
    }

    private static boolean isLargeHeap(String option) {
        Matcher heap = HEAP.matcher(option);
        return heap.matches()
                && Long.parseLong(heap.group(1)) * (heap.group(2).equalsIgnoreCase("g") ? 1024 : 1) >= LARGE_HEAP;
    }
}
