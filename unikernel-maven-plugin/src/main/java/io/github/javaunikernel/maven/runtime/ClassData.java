// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Makes class-data archives by running a linked runtime, without the program. Nothing in them depends on the memory and
 * the CPUs of the build machine, but some of their content follows the timing of the JVM's threads or its clock. An
 * archive is therefore made until two are the same, which is what the next machine most likely gets, too.
 */
final class ClassData {

    /** Where the JVM looks for an archive, in its home. */
    static final Path PLACE = Path.of("lib", "server", "classes.jsa");

    private static final int ATTEMPTS = 5;

    private final JavaHome jdk;
    private final Path runtime;

    ClassData(JavaHome jdk, Path runtime) {
        this.jdk = jdk;
        this.runtime = runtime;
    }

    /**
     * Makes an archive.
     *
     * @param archive to write; it comes to exist with its directory
     * @param directory in which the JVM runs, for relative paths among the options
     * @param options that say what goes into it
     * @return whether two archives were the same
     */
    boolean dump(Path archive, Path directory, List<String> options) throws IOException, ToolException {
        Files.createDirectories(archive.getParent());
        Path attempts = Files.createTempDirectory(archive.getParent(), "attempts-");
        try {
            List<Path> made = new ArrayList<>();
            Optional<Path> repeated = Optional.empty();
            while (repeated.isEmpty() && made.size() < ATTEMPTS) {
                Path next = attempts.resolve(made.size() + ".jsa");
                Tool.run(command(next, options), directory);
                repeated = sameAs(next, made);
                made.add(next);
            }
            Files.move(made.get(made.size() - 1), archive);
            return repeated.isPresent();
        } finally {
            DirectoryTree.delete(attempts);
        }
    }

    private static Optional<Path> sameAs(Path archive, List<Path> others) throws IOException {
        for (Path other : others) {
            if (Files.mismatch(archive, other) < 0) {
                return Optional.of(other);
            }
        }
        return Optional.empty();
    }

    private List<String> command(Path archive, List<String> options) {
        // From Java 18 on every collector maps the archive's heap objects, not only G1; those that the guest's
        // collector ignores are better left out, as dumping with the serial one does.
        String collector = jdk.hasReproducibleClassData() ? "-XX:+UseG1GC" : "-XX:+UseSerialGC";
        List<String> command = new ArrayList<>(List.of(
                runtime.resolve("bin/java").toString(),
                "-Xshare:dump",
                collector,
                "-Xint",
                "-XX:ActiveProcessorCount=1",
                "-XX:SharedArchiveFile=" + archive.toAbsolutePath()));
        command.addAll(options);
        return command;
    }
}
