// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.AmiPruner;
import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.CloudSetting;
import java.time.Duration;
import java.util.List;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Deregisters the project's older AMIs and deletes their snapshots, and also snapshots of the project that no image
 * uses. By default it only prints what it would remove. If images have a classifier, it removes those of the classifier
 * that is set, and without one those that have none.
 *
 * @since 0.1.0
 */
@Mojo(name = "ami-prune", requiresOnline = true, threadSafe = true)
public class AmiPruneMojo extends AbstractCloudMojo {
    /**
     * Regions in which to remove images, such as {@code eu-west-1,us-east-1}. The default is the region in the AWS
     * configuration.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.regions")
    private List<String> regions;

    /**
     * Number of the newest AMIs to keep, per region and kind (hvm, paravirtual).
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.prune.keep", defaultValue = "3")
    private int keep;

    /**
     * Whether to only print what would be removed. Set it to {@code false} to remove images and snapshots.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.prune.dryRun", defaultValue = "true")
    private boolean dryRun;

    /**
     * Maximum time per region, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.prune.timeout", defaultValue = "600")
    private int timeout;

    @Override
    void work() throws CloudException {
        if (keep < 0) {
            throw new CloudException(CloudSetting.KEEP, keep + " images cannot be kept.", "Give 0 or more.");
        }
        Duration limit = limit(CloudSetting.PRUNE_TIMEOUT, timeout);
        List<String> where = regions(regions, CloudSetting.REGIONS);
        connected(where.get(0), (access, account) -> {
            for (String region : where) {
                AmiPruner.Pruned pruned =
                        new AmiPruner(access, region, limit, log).prune(deployedProject(), keep, dryRun);
                getLog().info(region + ": " + pruned.imageIds().size() + " images and "
                        + pruned.snapshotIds().size() + " snapshots "
                        + (dryRun ? "would be removed; -Dunikernel.prune.dryRun=false removes them." : "removed."));
            }
        });
    }
}
