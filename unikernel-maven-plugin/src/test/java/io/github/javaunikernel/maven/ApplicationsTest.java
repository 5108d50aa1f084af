// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.util.List;
import org.apache.maven.model.Build;
import org.apache.maven.model.Plugin;
import org.apache.maven.model.PluginExecution;
import org.apache.maven.project.MavenProject;
import org.junit.jupiter.api.Test;

/** Which modules of a build are run. */
class ApplicationsTest {

    private final MavenProject library = module("library", "help");
    private final MavenProject web = module("web", "image");
    private final MavenProject worker = module("worker", "image");
    private final MavenProject other = new MavenProject();

    private static MavenProject module(String name, String goal) {
        PluginExecution execution = new PluginExecution();
        execution.addGoal(goal);
        Plugin plugin = new Plugin();
        plugin.setGroupId("g");
        plugin.setArtifactId("plugin");
        plugin.addExecution(execution);
        MavenProject module = new MavenProject();
        module.setArtifactId(name);
        module.setBuild(new Build());
        module.getBuild().addPlugin(plugin);
        return module;
    }

    private static Applications of(MavenProject... modules) {
        return new Applications(List.of(modules), "g:plugin");
    }

    @Test
    void modulesWithoutAnImageArePassedOver() {
        assertTrue(of(library, other, web).passOver(library));
        assertTrue(of(library, other, web).passOver(other));
        assertFalse(of(library, other, web).passOver(web));
    }

    @Test
    void aSingleModuleIsNeverPassedOver() {
        assertFalse(of(library).passOver(library));
    }

    @Test
    void severalApplicationsAreNamed() {
        assertDoesNotThrow(() -> of(library, web, other).checkOnlyOne());
        assertEquals(
                "Images are made of several modules: web, worker. Choose one of them, such as with -pl :web -am.",
                assertThrows(
                                ExplainedException.class,
                                () -> of(library, web, worker).checkOnlyOne())
                        .getMessage());
    }
}
