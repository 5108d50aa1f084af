// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.assembly.Application;
import io.github.javaunikernel.maven.assembly.ApplicationDirectory;
import io.github.javaunikernel.maven.assembly.ClassesDirectory;
import io.github.javaunikernel.maven.assembly.MainClass;
import io.github.javaunikernel.maven.assembly.ManifestClassPath;
import io.github.javaunikernel.maven.assembly.Paths;
import io.github.javaunikernel.maven.assembly.SpringBootJar;
import io.github.javaunikernel.maven.assembly.UberJar;
import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.maven.artifact.Artifact;
import org.apache.maven.project.MavenProject;

/** Makes the application of an image from a Maven project, whatever layout its build gives it. */
final class ProjectApplication {

    private static final Set<String> PACKAGINGS = Set.of("jar", "war", "quarkus", "bundle");
    private static final Set<String> SCOPES =
            Set.of(Artifact.SCOPE_COMPILE, Artifact.SCOPE_RUNTIME, Artifact.SCOPE_SYSTEM);
    /** Where Quarkus puts its fast-jar, and the classifier of its uber-jar. */
    private static final String QUARKUS_DIRECTORY = "quarkus-app";

    private static final String QUARKUS_JAR = "quarkus-run.jar";
    private static final String QUARKUS_UBER_JAR = "runner";
    /** Where jars are that only the image needs. */
    private static final String UNPACKED = "unikernel-application";

    private final MavenProject project;
    private final String mainClass;
    private final Path buildDirectory;

    /**
     * Makes it for a project.
     *
     * @param mainClass that the user names, or null
     */
    ProjectApplication(MavenProject project, String mainClass) {
        this.project = project;
        this.mainClass = mainClass;
        this.buildDirectory = Path.of(project.getBuild().getDirectory());
    }

    /**
     * The files of the application.
     *
     * @param directory that it is, or null
     * @param mainJar to start in that directory, or null
     */
    Layout layout(Path directory, String mainJar) throws SettingException, IOException {
        if (directory != null) {
            return Layout.of(ApplicationDirectory.of(directory, mainJar));
        }
        if (!PACKAGINGS.contains(project.getPackaging())) {
            throw new SettingException(
                    "skip",
                    "An image is made of packaging jar or war, not of " + project.getPackaging() + ".",
                    "Change the packaging, or set skip to true here.");
        }
        Optional<Artifact> uberJar = project.getAttachedArtifacts().stream()
                .filter(artifact ->
                        QUARKUS_UBER_JAR.equals(artifact.getClassifier()) && "jar".equals(artifact.getType()))
                .findFirst();
        if (uberJar.isPresent()) {
            return new Layout(List.of(jar(uberJar.get())), List.of());
        }
        Path quarkus = buildDirectory.resolve(QUARKUS_DIRECTORY);
        if (Files.isRegularFile(quarkus.resolve(QUARKUS_JAR))) {
            return Layout.of(ApplicationDirectory.of(quarkus, QUARKUS_JAR));
        }
        return ofArtifacts(own());
    }

    /** What the build has packaged; if it has not come so far, the classes that it has compiled. */
    private Application.Jar own() throws SettingException, IOException {
        Path classes = Path.of(project.getBuild().getOutputDirectory());
        boolean packaged = project.getArtifact().getFile() != null
                && project.getArtifact().getFile().isFile();
        if (packaged || project.getPackaging().equals("war") || !ClassesDirectory.isFilled(classes)) {
            return jar(project.getArtifact());
        }
        return classes();
    }

    private Application.Jar classes() throws IOException {
        Path jar = buildDirectory.resolve(UNPACKED).resolve(project.getBuild().getFinalName() + ".jar");
        Path packed = ClassesDirectory.pack(Path.of(project.getBuild().getOutputDirectory()), jar);
        return new Application.Jar(packed, origin(project.getArtifact()));
    }

    /**
     * The jars of an application, and what is beside them.
     *
     * @param jars the class path in order
     * @param others further files, with their places
     */
    record Layout(List<Application.Jar> jars, List<Application.Jar> others) {

        private static Layout of(ApplicationDirectory directory) throws IOException {
            return new Layout(List.of(directory.mainJar()), directory.others());
        }
    }

    private Layout ofArtifacts(Application.Jar own) throws SettingException, IOException {
        Optional<SpringBootJar> executable = SpringBootJar.of(own.file());
        if (executable.isPresent()) {
            return unpacked(own, executable.get());
        }
        if (project.getPackaging().equals("war")) {
            return MainClass.isNamedBy(own.file()) ? new Layout(List.of(own), List.of()) : withServer(own);
        }
        return withDependencies(own);
    }

    /** A war that embeds a server: its classes start the server, which finds the war in the working directory. */
    private Layout withServer(Application.Jar war) throws SettingException, IOException {
        Path classes = Path.of(project.getBuild().getOutputDirectory());
        Layout layout = ClassesDirectory.isFilled(classes) ? withDependencies(classes()) : null;
        if (layout == null
                || mainClass == null && !MainClass.isIn(layout.jars().get(0).file())) {
            throw new SettingException(
                    "skip",
                    war.file().getFileName() + " is a war for a separate server, and there"
                            + " is none in a unikernel.",
                    "Make it executable, such as with spring-boot:repackage, add a class with a main method that"
                            + " starts an embedded server, change the packaging to jar, or set skip to true here.");
        }
        String place = Paths.APPLICATION + "/" + war.file().getFileName();
        List<Application.Jar> others = new ArrayList<>(layout.others());
        others.add(new Application.Jar(war.file(), war.origin(), place));
        return new Layout(layout.jars(), others);
    }

    private Layout withDependencies(Application.Jar own) throws SettingException, IOException {
        List<Application.Jar> jars = new ArrayList<>(List.of(own));
        UberJar uberJar = UberJar.of(own.file());
        Set<String> names = new HashSet<>();
        for (Artifact artifact : dependencies()) {
            Application.Jar jar = jar(artifact);
            names.add(jar.file().getFileName().toString());
            if (!uberJar.holds(jar.file(), artifact.getGroupId(), artifact.getArtifactId())) {
                jars.add(jar);
            }
        }
        return new Layout(jars, ManifestClassPath.of(own.file(), Paths.APPLICATION, names));
    }

    /** An executable jar of Spring Boot decides by itself which libraries it comes with. */
    private Layout unpacked(Application.Jar own, SpringBootJar executable) throws SettingException, IOException {
        Map<String, String> origins = new HashMap<>();
        for (Artifact artifact : dependencies()) {
            origins.put(artifact.getFile().getName(), origin(artifact));
        }
        Path directory = buildDirectory.resolve(UNPACKED);
        List<Application.Jar> jars = new ArrayList<>();
        for (Path jar : executable.unpack(directory)) {
            String name = jar.getFileName().toString();
            String place = executable.isWar()
                    ? Paths.APPLICATION + "/WEB-INF/" + DirectoryTree.slashed(directory.relativize(jar))
                    : null;
            jars.add(new Application.Jar(jar, origins.getOrDefault(name, own.origin()), place));
        }
        List<Application.Jar> others = new ArrayList<>();
        if (executable.isWar()) {
            Path content = directory.resolve("content");
            for (Path file : executable.unpackContent(content)) {
                others.add(new Application.Jar(
                        file, own.origin(), Paths.APPLICATION + "/" + DirectoryTree.slashed(content.relativize(file))));
            }
        }
        return new Layout(jars, others);
    }

    /** Those that are there at run time; of scope system, too, since nothing else can bring such a file along. */
    private List<Artifact> dependencies() {
        return project.getArtifacts().stream()
                .filter(artifact -> artifact.getArtifactHandler().isAddedToClasspath())
                .filter(artifact -> artifact.getScope() == null || SCOPES.contains(artifact.getScope()))
                .toList();
    }

    private static Application.Jar jar(Artifact artifact) throws SettingException {
        File file = artifact.getFile();
        if (file == null || !file.isFile()) {
            throw new SettingException(
                    "skip",
                    artifact.getId() + " has not been packaged yet.",
                    "Run the goal in the phase package or later, such as with 'mvn package'.");
        }
        return new Application.Jar(file.toPath(), origin(artifact));
    }

    /** Where the jar of an artifact comes from, for the manifest. */
    static String origin(Artifact artifact) {
        return "maven:" + artifact.getId();
    }
}
