// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.GivenOptions;
import io.github.javaunikernel.maven.runtime.ApplicationClassData;
import io.github.javaunikernel.maven.runtime.ClassDataProof;
import io.github.javaunikernel.maven.runtime.ClassList;
import io.github.javaunikernel.maven.runtime.JavaHome;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Gets the class-data archive of an image's application, and proves that the guest's JVM will take it. */
final class ImageClassData {

    private final ImageRequest request;
    private final Consumer<String> progress;
    private final Consumer<String> warnings;

    ImageClassData(ImageRequest request, Consumer<String> progress, Consumer<String> warnings) {
        this.request = request;
        this.progress = progress;
        this.warnings = warnings;
    }

    /**
     * The archive.
     *
     * @param runtime without an archive of its own
     * @param options of the guest's JVM on its command line
     */
    Path archive(Path runtime, String mainClass, List<String> options) throws IOException, SettingException {
        RuntimeChoice choice = request.runtime();
        boolean linked = ClassDataChoice.isLinked(choice.jdk(), new GivenOptions(options, environment()));
        ClassList list = ClassList.read(choice.classList());
        try (Staging staging = Staging.of(request)) {
            ApplicationClassData.Archive archive = new ApplicationClassData(
                            choice.jdk(), runtime, staging.directory(), staging.classPath(), list, linked)
                    .archive(choice.cache(), choice.cacheLimit());
            tell(archive, list, prove(runtime, staging, mainClass, options, archive.file()));
            return archive.file();
        }
    }

    private Optional<ClassDataProof.Count> prove(
            Path runtime, Staging staging, String mainClass, List<String> options, Path archive)
            throws IOException, SettingException {
        JavaHome jdk = request.runtime().jdk();
        List<String> program = List.of("-cp", String.join(":", staging.classPath()), mainClass);
        return new ClassDataProof(jdk, runtime, staging.directory(), program).prove(archive, options, environment());
    }

    /** Variables that hold options of the JVM. */
    private Map<String, String> environment() {
        return request.application().options().environment();
    }

    private void tell(ApplicationClassData.Archive archive, ClassList list, Optional<ClassDataProof.Count> count)
            throws IOException {
        String proved = count.map(start -> "; a start takes " + start.archived() + " of its " + start.all()
                        + " classes before main() from there")
                .orElse("");
        progress.accept(String.format(
                "%s class data of %d classes in %s, %.1f MB%s",
                archive.fresh() ? "Made" : "Reusing",
                list.classes(),
                request.runtime().classList().getFileName(),
                Files.size(archive.file()) / 1e6,
                proved));
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
