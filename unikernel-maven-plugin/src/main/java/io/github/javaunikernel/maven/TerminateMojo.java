// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.Instances;
import io.github.javaunikernel.maven.aws.LaunchRecord;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Terminates an instance and deletes what its launch created.
 *
 * @since 0.1.0
 */
@Mojo(name = "terminate", requiresOnline = true, threadSafe = true)
public class TerminateMojo extends AbstractInstanceMojo {
    /**
     * Id of the instance. The default is the one that was last launched from this project; its security group is then
     * deleted too.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.instance")
    private String instance;

    /**
     * Maximum time until the instance must be terminated, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.terminate.timeout", defaultValue = "600")
    private int timeout;

    @Override
    protected void run() throws MojoExecutionException {
        LaunchRecord chosen = chosen(instance);
        connected(chosen.region(), (access, account) -> new Instances(access, chosen.region(), Duration.ofSeconds(timeout), log).terminate(chosen));
        if (instance != null) {
            return;
        }
        try {
            Files.deleteIfExists(recordFile());
        } catch (IOException e) {
            throw new MojoExecutionException("All is terminated, but " + recordFile() + " cannot be deleted: delete it.", e);
        }
    }
}
