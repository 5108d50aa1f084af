package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.boot.GivenOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The program of an image.
 *
 * @param mainClass to start, or null to find it
 * @param jars the class path in order, the application's own jar first
 * @param jvmArguments after those chosen for the machine
 * @param systemProperties baked in as {@code -D} options
 */
public record Application(String mainClass, List<Jar> jars, List<String> jvmArguments,
                          Map<String, String> systemProperties, List<String> arguments,
                          Map<String, String> environment) {

    /** Every option of the JVM that the user gives. */
    public GivenOptions options() {
        return GivenOptions.of(jvmArguments, systemProperties, environment);
    }

    /** The files of the class path. */
    public List<Path> classPath() {
        return jars.stream().map(Jar::file).toList();
    }

    /**
     * One entry of the class path.
     *
     * @param origin such as {@code maven:group:artifact:version}
     */
    public record Jar(Path file, String origin) {
    }
}
