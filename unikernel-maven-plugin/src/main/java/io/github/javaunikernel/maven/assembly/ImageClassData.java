// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.GivenOptions;
import io.github.javaunikernel.maven.runtime.AotCache;
import io.github.javaunikernel.maven.runtime.ApplicationClassData;
import io.github.javaunikernel.maven.runtime.ApplicationInput;
import io.github.javaunikernel.maven.runtime.ClassDataMode;
import io.github.javaunikernel.maven.runtime.ClassDataProof;
import io.github.javaunikernel.maven.runtime.ClassList;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Gets the class data of an image's application, and proves that the guest's JVM will take them. */
final class ImageClassData {

    /**
     * What there is.
     *
     * @param placed the class data, or empty
     * @param recording the name of the recording that an AOT cache of this application is made of, or null if the image
     *     is to have none
     */
    record Result(Optional<PlacedClassData> placed, String recording) {

        static final Result NONE = new Result(Optional.empty(), null);
    }

    private final ImageRequest request;
    private final Consumer<String> progress;
    private final Consumer<String> warnings;

    ImageClassData(ImageRequest request, Consumer<String> progress, Consumer<String> warnings) {
        this.request = request;
        this.progress = progress;
        this.warnings = warnings;
    }

    /**
     * The class data.
     *
     * @param mode {@code APP} or {@code AOT}
     * @param runtime without an archive of its own
     * @param options of the guest's JVM on its command line
     */
    Result of(ClassDataMode mode, Path runtime, String mainClass, List<String> options)
            throws IOException, SettingException {
        try (Staging staging = Staging.of(request)) {
            ApplicationInput input =
                    new ApplicationInput(request.runtime().jdk(), runtime, staging.directory(), staging.classPath());
            Start start = new Start(mainClass, options);
            return mode == ClassDataMode.AOT
                    ? aotCache(input, start)
                    : new Result(Optional.of(archive(input, start)), null);
        }
    }

    /**
     * How the guest starts.
     *
     * @param options of its JVM on the command line
     */
    private record Start(String mainClass, List<String> options) {}

    private PlacedClassData archive(ApplicationInput input, Start start) throws IOException, SettingException {
        RuntimeChoice choice = request.runtime();
        boolean linked = ClassDataChoice.isLinked(choice.jdk(), new GivenOptions(start.options, environment()));
        ClassList list = ClassList.read(choice.classList());
        ApplicationClassData.Archive archive =
                new ApplicationClassData(input, list, linked).archive(choice.cache(), choice.cacheLimit());
        String what = "class data of " + list.classes() + " classes in "
                + choice.classList().getFileName();
        tell(archive, what, prove(input, start, ClassDataProof.ofClassData(archive.file())));
        return PlacedClassData.archive(archive.file());
    }

    /** The cache, or what comes nearest to it while there is no recording of these jars. */
    private Result aotCache(ApplicationInput input, Start start) throws IOException, SettingException {
        RuntimeChoice choice = request.runtime();
        AotCache cache = new AotCache(input);
        Path recording = AotCache.recording(request.directory(), request.name(), cache.key());
        if (!Files.isRegularFile(recording)) {
            boolean listed = Files.isRegularFile(choice.classList());
            warnings.accept("The image has " + (listed ? "the class data of cds=app" : "no class data")
                    + " in place of an AOT cache: there is no recording of this runtime and these jars. Make one with"
                    + " 'mvn unikernel:train', and build the image again.");
            return new Result(listed ? Optional.of(archive(input, start)) : Optional.empty(), cache.key());
        }
        ApplicationClassData.Archive archive = cache.archive(recording, choice.cache(), choice.cacheLimit());
        tell(
                archive,
                "the AOT cache of " + recording.getFileName(),
                prove(input, start, ClassDataProof.ofAotCache(archive.file())));
        return new Result(Optional.of(PlacedClassData.aotCache(archive.file())), cache.key());
    }

    private Optional<ClassDataProof.Count> prove(ApplicationInput input, Start start, List<String> taking)
            throws IOException, SettingException {
        List<String> program = List.of("-cp", String.join(":", input.classPath()), start.mainClass);
        return new ClassDataProof(input.jdk(), input.runtime(), input.directory(), program)
                .prove(taking, start.options, environment());
    }

    /** Variables that hold options of the JVM. */
    private Map<String, String> environment() {
        return request.application().options().environment();
    }

    private void tell(ApplicationClassData.Archive archive, String what, Optional<ClassDataProof.Count> count)
            throws IOException {
        String proved = count.map(start -> "; a start takes " + start.archived() + " of its " + start.all()
                        + " classes before main() from there")
                .orElse("");
        progress.accept(String.format(
                "%s %s, %.1f MB%s",
                archive.fresh() ? "Made" : "Reusing", what, Files.size(archive.file()) / 1e6, proved));
        if (count.isEmpty()) {
            warnings.accept("The class data could not be checked, because this machine has too little memory for a"
                    + " start with the JVM options of the image. Build on a machine with more memory to check them.");
        }
        if (!archive.repeated()) {
            progress.accept("The JVM makes different class data each time, so this image can be repeated byte for byte"
                    + " only while " + request.runtime().cache() + " holds them");
        }
    }
}
