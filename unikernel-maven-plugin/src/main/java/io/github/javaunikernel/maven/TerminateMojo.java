// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.aws.CloudSetting;
import io.github.javaunikernel.maven.aws.Instances;
import io.github.javaunikernel.maven.aws.LaunchRecord;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Terminates instances and deletes what their launch created.
 *
 * @since 0.1.0
 */
@Mojo(name = "terminate", requiresOnline = true, threadSafe = true)
public class TerminateMojo extends AbstractInstanceMojo {
    /**
     * Id of the instance, such as {@code i-0123456789abcdef0}. The default is all instances of the last launch from
     * this project; their security group is then deleted too.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.instance")
    private String instance;

    /**
     * Maximum time until all must be terminated, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.terminate.timeout", defaultValue = "600")
    private int timeout;

    @Override
    void work() throws CloudException, SettingException {
        Duration limit = limit(CloudSetting.TERMINATE_TIMEOUT, timeout);
        LaunchRecord chosen = chosen(instance);
        connected(
                chosen.region(),
                (access, account) -> new Instances(access, chosen.region(), limit, log).terminate(chosen));
        if (instance != null) {
            return;
        }
        Path record = recordFile();
        try {
            Files.deleteIfExists(record);
        } catch (IOException e) {
            throw new CloudException(
                    Reason.RECORD,
                    null,
                    "All are terminated, but the record of the launch " + record + " cannot be deleted.",
                    "Delete it.",
                    e);
        }
    }
}
