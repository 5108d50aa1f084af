// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.Instances;
import io.github.javaunikernel.maven.aws.LaunchRecord;
import java.time.Duration;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Prints the console output of an instance. EC2 provides it only after some minutes.
 *
 * @since 0.1.0
 */
@Mojo(name = "console", requiresOnline = true, threadSafe = true)
public class ConsoleMojo extends AbstractInstanceMojo {
    /**
     * Id of the instance. The default is the one that was last launched from this project.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.instance")
    private String instance;

    @Override
    protected void run() throws MojoExecutionException {
        LaunchRecord chosen = chosen(instance);
        connected(chosen.region(), (access, account) -> {
            String output = new Instances(access, chosen.region(), Duration.ofMinutes(2), log).console(chosen.instanceId());
            getLog().info(output.isEmpty() ? "EC2 has no console output of " + chosen.instanceId() + " yet; try again in a minute."
                    : "Console of " + chosen.instanceId() + ":\n" + output);
        });
    }
}
