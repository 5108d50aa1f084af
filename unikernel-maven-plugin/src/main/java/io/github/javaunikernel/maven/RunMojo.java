// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import java.io.IOException;
import org.apache.maven.plugins.annotations.Execute;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;

/**
 * Builds the image, boots it on this machine and stays in the foreground, with the guest's console on the terminal and
 * its ports on localhost. Ctrl-C shuts the guest down cleanly; a second Ctrl-C ends it by force. The build fails if the
 * program in the guest ends with a status other than 0. In a build of several modules, those without an image are
 * skipped, and exactly one must have an image.
 *
 * @since 0.1.0
 */
@Mojo(name = "run", threadSafe = true)
@Execute(phase = LifecyclePhase.PACKAGE)
public final class RunMojo extends RunNoForkMojo {

    @Parameter(defaultValue = "${executedProject}", readonly = true)
    private MavenProject executedProject;

    @Override
    void check(Applications applications) throws IOException {
        applications.checkOnlyOne();
    }

    @Override
    void publish() {
        ForkedBuild.publish(executedProject, project);
    }
}
