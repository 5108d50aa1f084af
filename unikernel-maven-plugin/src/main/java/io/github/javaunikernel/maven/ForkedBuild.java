// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import org.apache.maven.artifact.Artifact;
import org.apache.maven.project.MavenProject;

/**
 * A build of one module that Maven runs before a goal that asks for it. Maven builds a copy of the module, so the
 * module itself has nothing packaged, and others of the same build that depend on it would look for it in the
 * repository.
 */
final class ForkedBuild {

    private ForkedBuild() {}

    /**
     * Gives a module what the build of its copy has packaged.
     *
     * @param built the copy, or null if the goal starts no build
     */
    static void publish(MavenProject built, MavenProject module) {
        if (built == null || built.getArtifact() == null) {
            return;
        }
        module.getArtifact().setFile(built.getArtifact().getFile());
        for (Artifact attached : built.getAttachedArtifacts()) {
            if (!module.getAttachedArtifacts().contains(attached)) {
                module.addAttachedArtifact(attached);
            }
        }
    }
}
