// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.javaunikernel.maven.assembly.Application;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.maven.artifact.Artifact;
import org.apache.maven.artifact.DefaultArtifact;
import org.apache.maven.artifact.handler.DefaultArtifactHandler;
import org.apache.maven.model.Build;
import org.apache.maven.project.MavenProject;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is the application of a project that sets nothing. */
class ProjectApplicationTest {

    @TempDir
    private Path target;

    private final MavenProject project = new MavenProject();

    @BeforeEach
    void packaged() throws IOException {
        project.setBuild(new Build());
        project.getBuild().setDirectory(target.toString());
        project.setArtifact(artifact("own.jar", null));
        for (String file : List.of(
                "app/own.jar",
                "lib/boot/io.quarkus.runner.jar",
                "lib/main/library.jar",
                "quarkus/generated-bytecode.jar",
                "quarkus-app-dependencies.txt",
                "quarkus-run.jar")) {
            file("quarkus-app/" + file);
        }
    }

    private Path file(String name) throws IOException {
        Files.createDirectories(target.resolve(name).getParent());
        return Files.writeString(target.resolve(name), name);
    }

    private Artifact artifact(String name, String classifier) throws IOException {
        Artifact artifact =
                new DefaultArtifact("g", "own", "1", null, "jar", classifier, new DefaultArtifactHandler("jar"));
        artifact.setFile(file(name).toFile());
        return artifact;
    }

    @ParameterizedTest
    @ValueSource(strings = {"jar", "quarkus"})
    void theDirectoryThatQuarkusMadeIsFound(String packaging) throws Exception {
        project.setPackaging(packaging);
        ProjectApplication.Layout layout = new ProjectApplication(project).layout(null, null);
        assertEquals(
                List.of(new Application.Jar(
                        target.resolve("quarkus-app/quarkus-run.jar"), "file:quarkus-run.jar", "/app/quarkus-run.jar")),
                layout.jars());
        assertEquals(
                List.of(
                        "/app/app/own.jar",
                        "/app/lib/boot/io.quarkus.runner.jar",
                        "/app/lib/main/library.jar",
                        "/app/quarkus-app-dependencies.txt",
                        "/app/quarkus/generated-bytecode.jar"),
                layout.others().stream().map(Application.Jar::place).toList());
    }

    @Test
    void theUberJarOfThisBuildWinsOverTheDirectoryOfAnEarlierOne() throws Exception {
        project.addAttachedArtifact(artifact("own-runner.jar", "runner"));
        ProjectApplication.Layout layout = new ProjectApplication(project).layout(null, null);
        assertEquals(
                List.of(target.resolve("own-runner.jar")),
                layout.jars().stream().map(Application.Jar::file).toList());
        assertEquals(List.of(), layout.others());
    }
}
