package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.assembly.Application;
import io.github.javaunikernel.maven.assembly.SpringBootJar;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.maven.artifact.Artifact;
import org.apache.maven.project.MavenProject;

/** Makes the application of an image from a Maven project. */
final class ProjectApplication {

    private final MavenProject project;

    ProjectApplication(MavenProject project) {
        this.project = project;
    }

    Application describe(String mainClass, List<String> jvmArguments, Map<String, String> systemProperties,
            List<String> arguments, Map<String, String> environment) throws SettingException, IOException {
        if (!project.getPackaging().equals("jar")) {
            throw new SettingException("skip", "An image is made of packaging jar, not of "
                    + project.getPackaging() + ".", "Change the packaging to jar, or set skip to true here.");
        }
        List<Application.Jar> dependencies = new ArrayList<>();
        for (Artifact artifact : project.getArtifacts()) {
            if (artifact.getArtifactHandler().isAddedToClasspath()) {
                dependencies.add(jar(artifact));
            }
        }
        List<Application.Jar> jars = classPath(jar(project.getArtifact()), dependencies);
        return new Application(mainClass, jars, jvmArguments, systemProperties, arguments, environment);
    }

    private static Application.Jar jar(Artifact artifact) throws SettingException {
        File file = artifact.getFile();
        if (file == null || !file.isFile()) {
            throw new SettingException("skip", artifact.getId() + " has not been packaged yet.",
                    "Run the goal in the phase package or later, such as with 'mvn package'.");
        }
        return new Application.Jar(file.toPath(), "maven:" + artifact.getId());
    }

    /** An executable jar of Spring Boot decides by itself which libraries it comes with. */
    private List<Application.Jar> classPath(Application.Jar own, List<Application.Jar> dependencies)
            throws IOException {
        Optional<SpringBootJar> executable = SpringBootJar.of(own.file());
        if (executable.isEmpty()) {
            return Stream.concat(Stream.of(own), dependencies.stream()).toList();
        }
        Map<String, String> origins = new HashMap<>();
        dependencies.forEach(jar -> origins.put(jar.file().getFileName().toString(), jar.origin()));
        Path directory = Path.of(project.getBuild().getDirectory(), "unikernel-application");
        return executable.get().unpack(directory).stream()
                .map(jar -> new Application.Jar(jar, origins.getOrDefault(jar.getFileName().toString(), own.origin())))
                .toList();
    }
}
