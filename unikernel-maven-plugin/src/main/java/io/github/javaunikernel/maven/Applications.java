// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.util.List;
import org.apache.maven.model.Plugin;
import org.apache.maven.project.MavenProject;

/**
 * Which modules of a build are made into images.
 *
 * @param modules all of the build
 * @param plugin this plugin's key, such as {@code group:artifact}
 */
record Applications(List<MavenProject> modules, String plugin) {

    /** Whether images are made of the module: an execution of it has the goal {@code image}. */
    boolean contain(MavenProject module) {
        Plugin declared = module.getPlugin(plugin);
        return declared != null
                && declared.getExecutions().stream()
                        .anyMatch(execution -> execution.getGoals().contains("image"));
    }

    /** Whether to skip a module: it has no image, and the build has other modules. */
    boolean passOver(MavenProject module) {
        return modules.size() > 1 && !contain(module);
    }

    /** Fails if there are several, because a goal in the foreground could run only the first. */
    void checkOnlyOne() throws ExplainedException {
        List<String> found = modules.stream()
                .filter(this::contain)
                .map(MavenProject::getArtifactId)
                .toList();
        if (found.size() > 1) {
            throw new ExplainedException("Images are made of several modules: " + String.join(", ", found)
                    + ". Choose one of them, such as with -pl :" + found.get(0) + " -am.");
        }
    }
}
