// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.CloudSetting;
import io.github.javaunikernel.maven.aws.Form;
import io.github.javaunikernel.maven.aws.LaunchRecord;
import io.github.javaunikernel.maven.aws.LaunchRecord.Launched;
import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.apache.maven.plugins.annotations.Parameter;

/** The base of the goals that act on instances: they choose them in the same way. */
abstract class AbstractInstanceMojo extends AbstractCloudImageMojo {
    /**
     * Region of the instances, such as {@code eu-west-1}. The default is the region of the last launch, and for
     * {@code unikernel:launch} the first region of the last deployment; without either, it is the one in the AWS
     * configuration.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.region")
    String region;

    /** The record of the last launch, whose directory is made if there is none. */
    final Path recordFile() throws SettingException {
        Path record = CloudFiles.launchRecord(imageFile());
        Path place = record.toAbsolutePath().getParent();
        while (!Files.exists(place)) {
            place = place.getParent();
        }
        if (!Files.isDirectory(place)) {
            throw new SettingException(
                    "ami.image",
                    place + " is a file where the directory for the record of the launch must be.",
                    "Correct the path.");
        }
        return record;
    }

    final String regionOr(String known) throws CloudException {
        if (region == null && known != null) {
            return known;
        }
        return regions(region == null ? List.of() : List.of(region), CloudSetting.REGION)
                .get(0);
    }

    /** The named instance, or those that the last launch created. */
    final LaunchRecord chosen(String instanceId) throws CloudException, SettingException {
        Path record = recordFile();
        Optional<LaunchRecord> last = LaunchRecord.load(record);
        if (instanceId == null) {
            return last.orElseThrow(() -> new CloudException(
                    CloudSetting.INSTANCE,
                    "Nothing was launched from here: there is no " + record + ".",
                    "Name the instance; mvn unikernel:list shows the project's."));
        }
        Form.INSTANCE.checked(CloudSetting.INSTANCE, instanceId);
        String known = last.filter(launch -> launch.instances().stream()
                        .anyMatch(one -> one.instanceId().equals(instanceId)))
                .map(LaunchRecord::region)
                .orElse(null);
        return new LaunchRecord(regionOr(known), null, null, null, List.of(new Launched(instanceId, null)));
    }
}
