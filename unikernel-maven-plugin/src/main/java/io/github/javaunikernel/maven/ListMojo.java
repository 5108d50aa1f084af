// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.CloudSetting;
import io.github.javaunikernel.maven.aws.InstanceTable;
import io.github.javaunikernel.maven.aws.Instances;
import io.github.javaunikernel.maven.aws.RunningInstance;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Prints a table of the project's instances on EC2: their AMI, type, state, address, age and price. It lists every
 * instance that {@code unikernel:launch} has started, from whichever machine, and that is not terminated; if images
 * have a classifier, those of the classifier that is set. The price is that of Linux on demand in us-east-1 in US
 * dollars an hour, as far as the plugin knows it, and does not include the disk.
 *
 * @since 0.1.0
 */
@Mojo(name = "list", requiresOnline = true, threadSafe = true)
public class ListMojo extends AbstractCloudMojo {
    /**
     * Regions to look in, such as {@code eu-west-1,us-east-1}. The default is the region in the AWS configuration.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.regions")
    private List<String> regions;

    @Override
    void work() throws CloudException {
        List<String> where = regions(regions, CloudSetting.REGIONS);
        connected(where.get(0), (access, account) -> {
            for (String region : where) {
                List<RunningInstance> found =
                        new Instances(access, region, Duration.ofMinutes(2), log).ofProject(deployedProject());
                getLog().info(region + ": " + (found.isEmpty() ? "no instances of " : "instances of ")
                        + deployedProject());
                if (!found.isEmpty()) {
                    InstanceTable.lines(found, Instant.now()).forEach(getLog()::info);
                }
            }
        });
    }
}
