// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.assembly.Licence;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.apache.maven.artifact.Artifact;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.model.building.ModelBuildingRequest;
import org.apache.maven.project.DefaultProjectBuildingRequest;
import org.apache.maven.project.MavenProject;
import org.apache.maven.project.ProjectBuilder;
import org.apache.maven.project.ProjectBuildingException;
import org.apache.maven.project.ProjectBuildingRequest;

/** Reads the licences of a project and its dependencies from their POMs and the parents of those. */
final class DependencyLicences {

    private final ProjectBuilder builder;
    private final MavenSession session;
    private final Consumer<String> details;

    /**
     * Makes a reader.
     *
     * @param details gets one line on each POM that cannot be read
     */
    DependencyLicences(ProjectBuilder builder, MavenSession session, Consumer<String> details) {
        this.builder = builder;
        this.session = session;
        this.details = details;
    }

    /** The licences by the origin of the jar, as the manifest of the image has it. */
    Map<String, List<Licence>> of(MavenProject project) {
        Map<String, List<Licence>> licences = new TreeMap<>();
        licences.put(ProjectApplication.origin(project.getArtifact()), in(project));
        for (Artifact artifact : project.getArtifacts()) {
            if (!Artifact.SCOPE_SYSTEM.equals(artifact.getScope())) {
                licences.put(ProjectApplication.origin(artifact), of(artifact));
            }
        }
        return licences;
    }

    private List<Licence> of(Artifact artifact) {
        ProjectBuildingRequest request = new DefaultProjectBuildingRequest(session.getProjectBuildingRequest())
                .setProcessPlugins(false)
                .setValidationLevel(ModelBuildingRequest.VALIDATION_LEVEL_MINIMAL);
        request.setResolveDependencies(false);
        try {
            return in(builder.build(artifact, true, request).getProject());
        } catch (ProjectBuildingException e) {
            details.accept("The licence of " + artifact.getId() + " is not known: " + e.getMessage());
            return List.of();
        }
    }

    private static List<Licence> in(MavenProject project) {
        return project.getLicenses().stream()
                .filter(licence -> licence.getName() != null || licence.getUrl() != null)
                .map(licence -> new Licence(licence.getName(), licence.getUrl()))
                .toList();
    }
}
