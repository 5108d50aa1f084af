// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.LaunchRecord;
import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugins.annotations.Parameter;

/** The base of the goals that act on an instance: they choose it in the same way. */
abstract class AbstractInstanceMojo extends AbstractCloudMojo {
    /**
     * The raw image that was deployed. The files through which the goals pass on information are named after it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.image", defaultValue = "${project.build.directory}/${project.build.finalName}.img")
    File image;

    /**
     * Region of the instance. The default is the region of the last launch, or the one in the AWS configuration.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.region")
    String region;

    final Path recordFile() {
        return CloudFiles.launchRecord(image.toPath());
    }

    final String regionOr(String known) throws MojoExecutionException {
        if (region == null && known != null) {
            return known;
        }
        return regions(region == null ? List.of() : List.of(region), "unikernel.launch.region").get(0);
    }

    /** The named instance, or the one that the last launch created. */
    final LaunchRecord chosen(String instanceId) throws MojoExecutionException {
        try {
            Optional<LaunchRecord> last = LaunchRecord.load(recordFile());
            if (instanceId != null) {
                String known = last.filter(record -> instanceId.equals(record.instanceId())).map(LaunchRecord::region).orElse(null);
                return new LaunchRecord(regionOr(known), null, null, instanceId, null, null);
            }
            return last.orElseThrow(() -> new MojoExecutionException("Nothing was launched from here (there is no " + recordFile()
                    + "): name the instance with -Dunikernel.instance."));
        } catch (CloudException e) {
            throw explain(e);
        }
    }
}
