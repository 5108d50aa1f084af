// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.Instances;
import io.github.javaunikernel.maven.aws.LaunchRecord;
import io.github.javaunikernel.maven.aws.LaunchRecord.Launched;
import io.github.javaunikernel.maven.settings.SettingException;
import java.time.Duration;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Prints the console output of instances. EC2 provides it only after some minutes.
 *
 * @since 0.1.0
 */
@Mojo(name = "console", requiresOnline = true, threadSafe = true)
public class ConsoleMojo extends AbstractInstanceMojo {
    /**
     * Id of the instance, such as {@code i-0123456789abcdef0}. The default is all instances of the last launch from
     * this project.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.instance")
    private String instance;

    @Override
    void work() throws CloudException, SettingException {
        LaunchRecord chosen = chosen(instance);
        connected(chosen.region(), (access, account) -> {
            Instances instances = new Instances(access, chosen.region(), Duration.ofMinutes(2), log);
            for (Launched one : chosen.instances()) {
                String output = instances.console(one.instanceId());
                getLog().info(
                                output.isEmpty()
                                        ? "EC2 has no console output of " + one.instanceId()
                                                + " yet; try again in a minute."
                                        : "Console of " + one.instanceId() + ":\n" + output);
            }
        });
    }
}
