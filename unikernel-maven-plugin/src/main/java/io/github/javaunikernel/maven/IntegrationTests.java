// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import org.apache.maven.artifact.versioning.ComparableVersion;
import org.apache.maven.model.Plugin;
import org.apache.maven.project.MavenProject;

/** The integration tests of a project, which Maven's plugin Failsafe runs. */
final class IntegrationTests {

    private static final String FAILSAFE = "org.apache.maven.plugins:maven-failsafe-plugin";
    /** From this version on Failsafe runs them in spite of {@code skipTests}, and {@code skipITs} alone skips them. */
    private static final ComparableVersion OWN_SWITCH = new ComparableVersion("3.6.0");

    private IntegrationTests() {}

    /** Whether {@code -DskipTests} skips them. */
    static boolean areSkippedWithTests(MavenProject project) {
        Plugin failsafe = project.getPlugin(FAILSAFE);
        return failsafe == null
                || failsafe.getVersion() == null
                || new ComparableVersion(failsafe.getVersion()).compareTo(OWN_SWITCH) < 0;
    }
}
