// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Path;
import java.util.List;
import org.apache.maven.execution.MavenSession;
import org.eclipse.aether.RepositorySystem;
import org.eclipse.aether.RepositorySystemSession;
import org.eclipse.aether.artifact.Artifact;
import org.eclipse.aether.artifact.DefaultArtifact;
import org.eclipse.aether.repository.RemoteRepository;
import org.eclipse.aether.resolution.ArtifactRequest;
import org.eclipse.aether.resolution.ArtifactResolutionException;

/**
 * Files that a parameter names by the coordinates of an artifact, from some of the build's repositories. Maven compares
 * them with the checksums that the repositories have.
 */
final class CoordinatesOnUse {

    /** As Maven's resolver reads them; no path looks like that, nor does one with a drive of Windows. */
    private static final String COORDINATES = "[^:/\\\\\\s]+:[^:/\\\\\\s]+(:[^:/\\\\\\s]+){1,3}";

    private final RepositorySystem system;
    private final RepositorySystemSession session;
    private final List<RemoteRepository> repositories;

    CoordinatesOnUse(RepositorySystem system, MavenSession session, List<RemoteRepository> repositories) {
        this.system = system;
        this.session = session.getRepositorySession();
        this.repositories = repositories;
    }

    /** Whether a text is {@code GROUP:ARTIFACT[:EXTENSION[:CLASSIFIER]]:VERSION}. */
    static boolean isCoordinates(String text) {
        return text.matches(COORDINATES);
    }

    /**
     * The file of an artifact, downloaded if it is not in the local repository.
     *
     * @param fix what to do if there is none: a sentence
     */
    Path file(String parameter, String coordinates, String fix) throws SettingException {
        Artifact artifact = new DefaultArtifact(coordinates);
        ArtifactRequest request = new ArtifactRequest(artifact, repositories, null);
        try {
            return system.resolveArtifact(session, request)
                    .getArtifact()
                    .getFile()
                    .toPath();
        } catch (ArtifactResolutionException e) {
            throw new SettingException(
                    parameter, "There is no artifact " + coordinates + " to be had: " + e.getMessage() + ".", fix, e);
        }
    }
}
