// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;

/** The base of all goals: when to skip them, and how failures become messages. */
abstract class AbstractUnikernelMojo extends AbstractMojo {

    /** The project. */
    @Parameter(defaultValue = "${project}", readonly = true, required = true)
    protected MavenProject project;

    /**
     * Skips the goal.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.skip", defaultValue = "false")
    private boolean skip;

    @Override
    public final void execute() throws MojoExecutionException, MojoFailureException {
        if (skip) {
            getLog().info("Skipped, since unikernel.skip is set");
            return;
        }
        if (project.getPackaging().equals("pom")) {
            getLog().debug("Nothing to do for packaging pom");
            return;
        }
        try {
            run();
        } catch (SettingException | GuestException e) {
            throw new MojoFailureException(e.getMessage(), e);
        } catch (IOException e) {
            throw new MojoExecutionException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new MojoExecutionException("Interrupted. Run again when ready.", e);
        }
    }

    /** Does the work of the goal. */
    protected abstract void run()
            throws SettingException, GuestException, IOException, MojoExecutionException, InterruptedException;
}
