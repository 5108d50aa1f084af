package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.assembly.Application;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.JarFile;
import org.apache.maven.artifact.Artifact;
import org.apache.maven.project.MavenProject;

/** Makes the application of an image from a Maven project. */
final class ProjectApplication {

    /** Where Spring Boot's executable jars keep the dependencies. */
    private static final String NESTED_LIBRARIES = "BOOT-INF/lib/";

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
        List<Application.Jar> jars = new ArrayList<>();
        jars.add(jar(project.getArtifact()));
        List<Application.Jar> dependencies = new ArrayList<>();
        for (Artifact artifact : project.getArtifacts()) {
            if (artifact.getArtifactHandler().isAddedToClasspath()) {
                dependencies.add(jar(artifact));
            }
        }
        List<Path> analysed = new ArrayList<>();
        analysed.add(jars.get(0).file());
        dependencies.forEach(dependency -> analysed.add(dependency.file()));
        if (!holdsDependencies(jars.get(0).file())) {
            jars.addAll(dependencies);
        }
        return new Application(mainClass, jars, analysed, jvmArguments, systemProperties, arguments, environment);
    }

    private static Application.Jar jar(Artifact artifact) throws SettingException {
        File file = artifact.getFile();
        if (file == null || !file.isFile()) {
            throw new SettingException("skip", artifact.getId() + " has not been packaged yet.",
                    "Run the goal in the phase package or later, such as with 'mvn package'.");
        }
        return new Application.Jar(file.toPath(), "maven:" + artifact.getId());
    }

    private static boolean holdsDependencies(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.stream().anyMatch(entry -> entry.getName().startsWith(NESTED_LIBRARIES));
        }
    }
}
