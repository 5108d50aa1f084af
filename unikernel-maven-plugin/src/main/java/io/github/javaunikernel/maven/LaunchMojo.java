// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.AmiResult;
import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.aws.CloudSetting;
import io.github.javaunikernel.maven.aws.Form;
import io.github.javaunikernel.maven.aws.LaunchRecord.Launched;
import io.github.javaunikernel.maven.aws.LaunchSpec;
import io.github.javaunikernel.maven.aws.Launcher;
import io.github.javaunikernel.maven.aws.MachineSize;
import io.github.javaunikernel.maven.aws.Virtualization;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Collectors;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Starts instances of the last deployed AMI, without a key pair, waits until their program answers, and prints their
 * URLs. If one does not answer, the goal prints the consoles and deletes what it created.
 *
 * @since 0.1.0
 */
@Mojo(name = "launch", requiresOnline = true, threadSafe = true)
public class LaunchMojo extends AbstractInstanceMojo {
    /**
     * Id of the AMI, such as {@code ami-0123456789abcdef0}. The default is the AMI that the last deployment registered
     * in the region.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.imageId")
    private String imageId;

    /**
     * Kind of AMI to launch if the last deployment registered both: {@code hvm} or {@code paravirtual}. The default is
     * the one that it registered first.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.virtualization")
    private List<String> virtualization;

    /**
     * Instance type, such as {@code t3.nano}. It must run AMIs of this kind, have the memory and the virtual CPUs that
     * the image was built for, and only such devices as the kernel has drivers for. The default is the cheapest such
     * type in the region.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.instanceType")
    private String instanceType;

    /**
     * Number of instances, 1 to 1000.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.count", defaultValue = "1")
    private int count;

    /**
     * Whether to pay the spot price. EC2 may then terminate the instances when it needs the machines.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.spot", defaultValue = "false")
    private boolean spot;

    /**
     * Name or ARN of an instance profile, such as {@code shop}. The program gets the credentials of its role from the
     * metadata service.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.instanceProfile")
    private String instanceProfile;

    /**
     * Tags of the instances, their volumes and the security group, in addition to the plugin's own, such as
     * {@code <team>blue</team>}.
     *
     * @since 0.1.0
     */
    @Parameter
    private Map<String, String> tags;

    /**
     * TCP ports to open. The first one is part of the URL.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ports", defaultValue = "8080")
    private List<Integer> ports;

    /**
     * Addresses that may connect to these ports, in CIDR notation.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.cidr", defaultValue = "0.0.0.0/0")
    private String cidr;

    /**
     * Ids of security groups to use instead of creating one, such as {@code sg-0123456789abcdef0}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.securityGroups")
    private List<String> securityGroups;

    /**
     * Id of the subnet in which to start the instances, such as {@code subnet-0123456789abcdef0}. The default is a
     * subnet of the default network.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.subnet")
    private String subnet;

    /**
     * File with user data, at most 16 KiB, for the guest to read at boot, such as {@code production.env}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.userData")
    private File userData;

    /**
     * Path that must answer with status 2xx before the launch is complete. With {@code none}, the goal only waits until
     * the instances are running.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.healthPath", defaultValue = "/health")
    private String healthPath;

    /**
     * Maximum time until all instances must run and answer, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.timeout", defaultValue = "300")
    private int timeout;

    /**
     * Whether to keep instances that did not answer, so that you can examine them.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.keepOnFailure", defaultValue = "false")
    private boolean keepOnFailure;

    @Override
    void work() throws CloudException, SettingException {
        PortForward.pair(ports, List.of(), true);
        Path record = recordFile();
        if (Files.exists(record)) {
            throw new CloudException(
                    Reason.RECORD,
                    null,
                    "Instances were launched from here before, see " + record + ".",
                    "End them with unikernel:terminate first.",
                    null);
        }
        List<AmiResult> deployed = CloudFiles.readReport(CloudFiles.amiReport(imageFile()));
        String where = regionOr(
                imageId == null && !deployed.isEmpty() ? deployed.get(0).region() : null);
        LaunchSpec spec = spec(where, deployed);
        connected(
                where,
                (access, account) -> report(
                        new Launcher(access, where, spec, record, log).launch().instances()));
    }

    private LaunchSpec spec(String where, List<AmiResult> deployed) throws CloudException {
        Form.AMI.checkedIfGiven(CloudSetting.IMAGE_ID, imageId);
        if (!orEmpty(virtualization).isEmpty()) {
            Virtualization.parse(virtualization);
        }
        Optional<AmiResult> known = imageId == null
                ? Optional.of(lastIn(where, deployed))
                : deployed.stream()
                        .filter(result -> imageId.equals(result.imageId()))
                        .findFirst();
        MachineSize size = known.map(result -> new MachineSize(result.memory(), result.vcpus(), 0))
                .orElse(MachineSize.UNKNOWN);
        Map<String, String> all = new HashMap<>(checkedTags(tags));
        all.putIfAbsent("Name", project.getArtifactId());
        return new LaunchSpec(
                imageId == null ? known.get().imageId() : imageId,
                size,
                deployedProject(),
                all,
                count,
                Form.INSTANCE_TYPE.checkedIfGiven(CloudSetting.INSTANCE_TYPE, instanceType),
                spot,
                Form.INSTANCE_PROFILE.checkedIfGiven(CloudSetting.INSTANCE_PROFILE, instanceProfile),
                new LaunchSpec.Network(
                        Form.SECURITY_GROUP.allChecked(CloudSetting.SECURITY_GROUPS, orEmpty(securityGroups)),
                        ports,
                        Form.CIDR.checked(CloudSetting.CIDR, cidr),
                        Form.SUBNET.checkedIfGiven(CloudSetting.SUBNET, subnet)),
                userData(),
                Optional.of(healthPath).filter(path -> !path.equals("none")),
                limit(CloudSetting.LAUNCH_TIMEOUT, timeout),
                keepOnFailure);
    }

    private AmiResult lastIn(String where, List<AmiResult> deployed) throws CloudException {
        List<String> kinds = orEmpty(virtualization).isEmpty()
                ? List.of()
                : Virtualization.parse(virtualization).stream()
                        .map(Virtualization::id)
                        .toList();
        return deployed.stream()
                .filter(result -> where.equals(result.region()))
                .filter(result -> kinds.isEmpty() || kinds.contains(result.virtualization()))
                .findFirst()
                .orElseThrow(() -> new CloudException(
                        CloudSetting.IMAGE_ID,
                        "No " + (kinds.isEmpty() ? "" : String.join(" or ", kinds) + " ") + "AMI was deployed to "
                                + where + " from here.",
                        "Run unikernel:ami first, or name an AMI."));
    }

    private void report(List<Launched> instances) {
        instances.forEach(instance -> getLog().info(instance.instanceId() + " is up at " + instance.url()));
        Properties properties = project.getProperties();
        properties.setProperty("unikernel.launch.instanceId", instances.get(0).instanceId());
        properties.setProperty("unikernel.launch.url", instances.get(0).url());
        properties.setProperty(
                "unikernel.launch.urls", instances.stream().map(Launched::url).collect(Collectors.joining(",")));
    }

    private Optional<byte[]> userData() throws CloudException {
        if (userData == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readAllBytes(userData.toPath()));
        } catch (IOException e) {
            throw new CloudException(
                    Reason.SETTING,
                    CloudSetting.USER_DATA,
                    "The user data " + userData + " cannot be read.",
                    "Correct the path, or make the file readable.",
                    e);
        }
    }
}
