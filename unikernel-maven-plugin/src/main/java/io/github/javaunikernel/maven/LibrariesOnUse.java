// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.io.IOException;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.plugin.MojoExecution;
import org.apache.maven.project.MavenProject;
import org.codehaus.plexus.classworlds.realm.ClassRealm;
import org.eclipse.aether.RepositoryException;
import org.eclipse.aether.RepositorySystem;
import org.eclipse.aether.RepositorySystemSession;
import org.eclipse.aether.artifact.DefaultArtifact;
import org.eclipse.aether.collection.CollectRequest;
import org.eclipse.aether.graph.Dependency;
import org.eclipse.aether.repository.RemoteRepository;
import org.eclipse.aether.resolution.ArtifactDescriptorRequest;
import org.eclipse.aether.resolution.ArtifactDescriptorResult;
import org.eclipse.aether.resolution.ArtifactResult;
import org.eclipse.aether.resolution.DependencyRequest;

/**
 * Libraries that only some goals use: dependencies of the plugin in the scope {@code provided}, which Maven does not
 * download with it. The goals that use them provide them, in the versions that the plugin's POM gives, through Maven's
 * own resolver: with the repositories, mirrors and credentials of the build. Classes that use such a library are loaded
 * when a goal first needs them, which must be later.
 */
final class LibrariesOnUse {

    private static final Set<String> AT_RUN_TIME = Set.of("compile", "runtime");

    private final RepositorySystem system;
    private final RepositorySystemSession session;
    private final List<RemoteRepository> repositories;

    LibrariesOnUse(RepositorySystem system, MavenSession session, MavenProject project) {
        this.system = system;
        this.session = session.getRepositorySession();
        this.repositories = project.getRemotePluginRepositories();
    }

    /**
     * Adds the libraries of these groups to the class path of the plugin, unless they are there. Where Maven has not
     * made that class path, as in a test, it has them already.
     */
    void add(MojoExecution goal, Set<String> groups) throws IOException {
        if (!(LibrariesOnUse.class.getClassLoader() instanceof ClassRealm realm)) {
            return;
        }
        // Modules that are built side by side share it.
        synchronized (realm) {
            List<URL> present = List.of(realm.getURLs());
            for (ArtifactResult library : resolved(goal, groups)) {
                URL url = library.getArtifact().getFile().toURI().toURL();
                if (!present.contains(url)) {
                    realm.addURL(url);
                }
            }
        }
    }

    private List<ArtifactResult> resolved(MojoExecution goal, Set<String> groups) throws IOException {
        try {
            CollectRequest request = dependencies(goal, groups);
            return system.resolveDependencies(session, new DependencyRequest(request, null))
                    .getArtifactResults();
        } catch (RepositoryException e) {
            throw new ExplainedException(
                    "The libraries of the goal " + goal.getGoal() + " cannot be downloaded: " + e.getMessage()
                            + ". Run it once without -o, where the repositories can be reached.",
                    e);
        }
    }

    /** Together with what the plugin has already, so that both agree on the versions of what both use. */
    private CollectRequest dependencies(MojoExecution goal, Set<String> groups) throws RepositoryException {
        ArtifactDescriptorResult plugin =
                system.readArtifactDescriptor(session, new ArtifactDescriptorRequest(plugin(goal), repositories, null));
        List<Dependency> wanted = new ArrayList<>();
        for (Dependency dependency : plugin.getDependencies()) {
            String scope = dependency.getScope();
            if (AT_RUN_TIME.contains(scope)) {
                wanted.add(dependency);
            } else if (scope.equals("provided")
                    && groups.contains(dependency.getArtifact().getGroupId())) {
                wanted.add(dependency.setScope("runtime"));
            }
        }
        return new CollectRequest(wanted, plugin.getManagedDependencies(), repositories);
    }

    private static DefaultArtifact plugin(MojoExecution goal) {
        return new DefaultArtifact(goal.getGroupId(), goal.getArtifactId(), "jar", goal.getVersion());
    }
}
