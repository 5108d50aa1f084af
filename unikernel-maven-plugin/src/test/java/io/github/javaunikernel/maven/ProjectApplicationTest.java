// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.assembly.Application;
import io.github.javaunikernel.maven.assembly.Jars;
import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
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
        project.getBuild().setOutputDirectory(target.resolve("classes").toString());
        project.getBuild().setFinalName("own-1");
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

    private ProjectApplication.Layout layout() throws Exception {
        return new ProjectApplication(project, null).layout(null, null);
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
        ProjectApplication.Layout layout = layout();
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
        ProjectApplication.Layout layout = layout();
        assertEquals(
                List.of(target.resolve("own-runner.jar")),
                layout.jars().stream().map(Application.Jar::file).toList());
        assertEquals(List.of(), layout.others());
    }

    @Test
    void compiledClassesTakeThePlaceOfAJarThatIsNotThereYet() throws Exception {
        withoutQuarkus();
        project.getArtifact().setFile(null);
        file("classes/it/Main.class");
        file("classes/META-INF/MANIFEST.MF");
        file("classes/application.properties");
        Path jar = target.resolve("unikernel-application/own-1.jar");
        assertEquals(List.of(new Application.Jar(jar, "maven:g:own:jar:1")), layout().jars());
        assertEquals(List.of("META-INF/MANIFEST.MF", "application.properties", "it/Main.class"), entries(jar));
        byte[] first = Files.readAllBytes(jar);
        layout();
        assertArrayEquals(first, Files.readAllBytes(jar));
    }

    @Test
    void withoutJarAndClassesThereIsNoApplication() throws Exception {
        withoutQuarkus();
        project.getArtifact().setFile(null);
        Files.createDirectories(target.resolve("classes/empty"));
        String refused = assertThrows(SettingException.class, this::layout).getMessage();
        assertTrue(refused.contains("has not been packaged yet"), refused);
    }

    @Test
    void aWarWhoseClassesStartAServerComesWithThem() throws Exception {
        withoutQuarkus();
        project.setPackaging("war");
        Jars.jar(target, "own", null);
        String refused = assertThrows(SettingException.class, this::layout).getMessage();
        assertTrue(refused.contains("own.jar is a war for a separate server"), refused);

        Jars.jar(target, "server", null, "Main", "public class Main { public static void main(String[] a) { } }");
        Files.move(target.resolve("server-classes"), target.resolve("classes"));
        ProjectApplication.Layout layout = layout();
        assertEquals(
                List.of(new Application.Jar(target.resolve("unikernel-application/own-1.jar"), "maven:g:own:jar:1")),
                layout.jars());
        assertEquals(
                List.of(new Application.Jar(target.resolve("own.jar"), "maven:g:own:jar:1", "/app/own.jar")),
                layout.others());
    }

    private void withoutQuarkus() throws IOException {
        project.setPackaging("jar");
        DirectoryTree.delete(target.resolve("quarkus-app"));
    }

    private static List<String> entries(Path jar) throws IOException {
        try (JarFile file = new JarFile(jar.toFile())) {
            return file.stream().map(JarEntry::getName).toList();
        }
    }
}
