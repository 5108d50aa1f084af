// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.aws.LaunchRecord.Launched;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.BootModeValues;
import software.amazon.awssdk.services.ec2.model.HttpTokensState;
import software.amazon.awssdk.services.ec2.model.Image;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceInterruptionBehavior;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.MarketType;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.ec2.model.SpotInstanceType;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/** Starts instances of an image without a key pair, and waits until their program answers. Used once. */
public final class Launcher {
    private static final Duration HEALTH_ATTEMPT = Duration.ofSeconds(5);
    private static final Duration CLEAN_UP = Duration.ofMinutes(5);

    private final AwsAccess access;
    private final String region;
    private final LaunchSpec spec;
    private final Path recordFile;
    private final CloudLog log;
    private final Ec2Client ec2;
    private final Retrier retrier;
    private LaunchRecord launched;

    /** @param recordFile where to note what was created, as it is created */
    public Launcher(AwsAccess access, String region, LaunchSpec spec, Path recordFile, CloudLog log) {
        this.access = access;
        this.region = region;
        this.spec = spec;
        this.recordFile = recordFile;
        this.log = log;
        this.ec2 = access.ec2(region);
        this.retrier = new Retrier(Deadline.in(spec.timeout()), log);
    }

    /**
     * Launches and waits. On failure the consoles are shown and what was created is deleted again, unless it is to be
     * kept.
     */
    public LaunchRecord launch() throws CloudException {
        spec.check();
        launched = new LaunchRecord(region, spec.imageId(), null, chooseType(), List.of());
        try {
            List<String> given = spec.network().securityGroups();
            run(given.isEmpty() ? List.of(createGroup()) : given);
            awaitRunning();
            if (spec.healthPath().isPresent()) {
                for (Launched instance : launched.instances()) {
                    awaitHealthy(
                            URI.create(instance.url()).resolve(spec.healthPath().get()));
                }
            }
            return launched;
        } catch (CloudException e) {
            afterFailure();
            throw e;
        }
    }

    private String chooseType() throws CloudException {
        Image image = image();
        Virtualization kind = Virtualization.parse(List.of(image.virtualizationTypeAsString()))
                .get(0);
        boolean uefi = image.bootMode() == BootModeValues.UEFI;
        List<InstanceType> running = InstanceTypes.running(kind, uefi, spec.size(), Device.DRIVEN.get(kind));
        List<InstanceType> types = InstanceTypes.offered(running, kind, uefi, ec2, retrier, region);
        String wanted = spec.instanceType().orElse(types.get(0).name());
        if (types.stream().noneMatch(type -> type.name().equals(wanted))) {
            throw new CloudException(
                    CloudSetting.INSTANCE_TYPE,
                    "Instance type " + wanted + " does not run this "
                            + kind.id() + " image in "
                            + region + ", or is too small for it.",
                    "Choose one of " + InstanceTypes.names(types) + ".");
        }
        return wanted;
    }

    private Image image() throws CloudException {
        return new Images(ec2, retrier)
                .find(spec.imageId())
                .orElseThrow(() -> new CloudException(
                        CloudSetting.IMAGE_ID,
                        "There is no image " + spec.imageId() + " in " + region + " that this account may use.",
                        "Name another one, or another region."));
    }

    private String createGroup() throws CloudException {
        String vpc = network();
        String name = "unikernel-" + UUID.randomUUID();
        String groupId = retrier.call(
                        "create a security group",
                        () -> ec2.createSecurityGroup(r -> r.groupName(name)
                                .description("Ports of " + spec.imageId())
                                .vpcId(vpc)
                                .tagSpecifications(tagged(ResourceType.SECURITY_GROUP))))
                .groupId();
        note(new LaunchRecord(region, spec.imageId(), groupId, launched.instanceType(), List.of()));
        List<IpPermission> rules = spec.network().ports().stream()
                .map(port -> IpPermission.builder()
                        .ipProtocol("tcp")
                        .fromPort(port)
                        .toPort(port)
                        .ipRanges(
                                IpRange.builder().cidrIp(spec.network().cidr()).build())
                        .build())
                .toList();
        try {
            retrier.callFresh(
                    "open ports",
                    () -> ec2.authorizeSecurityGroupIngress(
                            r -> r.groupId(groupId).ipPermissions(rules)));
        } catch (CloudException e) {
            // an earlier attempt got through although its answer was lost
            if (!"InvalidPermission.Duplicate".equals(e.code())) {
                throw e;
            }
        }
        return groupId;
    }

    private String network() throws CloudException {
        if (spec.network().subnetId().isPresent()) {
            String subnet = spec.network().subnetId().get();
            return retrier.call("see " + subnet, () -> ec2.describeSubnets(r -> r.subnetIds(subnet)))
                    .subnets()
                    .get(0)
                    .vpcId();
        }
        return retrier
                .call(
                        "find the default network",
                        () -> ec2.describeVpcs(r -> r.filters(Filters.of("is-default", "true"))))
                .vpcs()
                .stream()
                .findFirst()
                .orElseThrow(() -> new CloudException(
                        CloudSetting.SUBNET, "The account has no default network in " + region + ".", "Name a subnet."))
                .vpcId();
    }

    private void run(List<String> groups) throws CloudException {
        RunInstancesRequest.Builder request = RunInstancesRequest.builder()
                .imageId(spec.imageId())
                .instanceType(launched.instanceType())
                .minCount(spec.count())
                .maxCount(spec.count())
                .clientToken(UUID.randomUUID().toString())
                .securityGroupIds(groups)
                .metadataOptions(m -> m.httpTokens(HttpTokensState.REQUIRED))
                .tagSpecifications(tagged(ResourceType.INSTANCE), tagged(ResourceType.VOLUME));
        spec.network().subnetId().ifPresent(request::subnetId);
        spec.userData().ifPresent(data -> request.userData(Base64.getEncoder().encodeToString(data)));
        spec.instanceProfile()
                .ifPresent(profile -> request.iamInstanceProfile(
                        p -> (profile.startsWith("arn:") ? p.arn(profile) : p.name(profile)).build()));
        if (spec.spot()) {
            request.instanceMarketOptions(m -> m.marketType(MarketType.SPOT)
                    .spotOptions(s -> s.spotInstanceType(SpotInstanceType.ONE_TIME)
                            .instanceInterruptionBehavior(InstanceInterruptionBehavior.TERMINATE)));
        }
        List<Launched> started = retrier
                .callFresh(
                        "start " + spec.count() + " instances of " + spec.imageId(),
                        () -> ec2.runInstances(request.build()))
                .instances()
                .stream()
                .map(instance -> new Launched(instance.instanceId(), null))
                .toList();
        note(withInstances(started));
        started.forEach(instance ->
                log.info("Started " + instance.instanceId() + " (" + launched.instanceType() + ", " + region + ")."));
    }

    private void awaitRunning() throws CloudException {
        Instances instances = new Instances(ec2, retrier, log);
        List<Launched> running = new ArrayList<>();
        for (Launched instance : launched.instances()) {
            running.add(new Launched(
                    instance.instanceId(), url(instances.await(instance.instanceId(), InstanceStateName.RUNNING))));
        }
        note(withInstances(running));
    }

    private LaunchRecord withInstances(List<Launched> instances) {
        return new LaunchRecord(region, spec.imageId(), launched.createdGroupId(), launched.instanceType(), instances);
    }

    private TagSpecification tagged(ResourceType type) {
        Map<String, String> tags = new HashMap<>(spec.tags());
        tags.put(Images.PROJECT_TAG, spec.project());
        return TagSpecification.builder()
                .resourceType(type)
                .tags(Images.tags(tags))
                .build();
    }

    private String url(Instance instance) throws CloudException {
        String address = Instances.address(instance)
                .orElseThrow(
                        () -> new CloudException(Reason.SERVICE, "EC2 gave " + instance.instanceId() + " no address."));
        int port =
                spec.network().ports().isEmpty() ? 80 : spec.network().ports().get(0);
        return "http://" + address + (port == 80 ? "" : ":" + port) + "/";
    }

    private void awaitHealthy(URI health) throws CloudException {
        HttpClient client =
                HttpClient.newBuilder().connectTimeout(HEALTH_ATTEMPT).build();
        HttpRequest request =
                HttpRequest.newBuilder(health).timeout(HEALTH_ATTEMPT).build();
        Polling polling = new Polling(retrier);
        String last = "no answer";
        do {
            try {
                int status = client.send(request, HttpResponse.BodyHandlers.discarding())
                        .statusCode();
                if (status / 100 == 2) {
                    return;
                }
                last = "status " + status;
            } catch (IOException e) {
                last = Causes.ofTransport(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CloudException(Reason.INTERRUPTED, "Interrupted while waiting for " + health + ".", e);
            }
        } while (polling.again());
        throw new CloudException(
                Reason.DEADLINE,
                CloudSetting.LAUNCH_TIMEOUT,
                health + " did not answer in time (" + last + ").",
                "Look for the cause in the console above, or give the instance more time.",
                null);
    }

    private void note(LaunchRecord record) throws CloudException {
        launched = record;
        record.save(recordFile);
    }

    private void afterFailure() {
        Instances instances = new Instances(access, region, CLEAN_UP, log);
        try {
            for (Launched instance : launched.instances()) {
                log.warn("Console of " + instance.instanceId() + ":\n" + instances.console(instance.instanceId()));
            }
            if (!spec.keepOnFailure()) {
                instances.terminate(launched);
                Files.deleteIfExists(recordFile);
            }
        } catch (CloudException e) {
            log.warn("Not everything could be deleted, see " + recordFile + ": " + e.getMessage());
        } catch (IOException e) {
            log.warn("All is deleted except for " + recordFile + ", the record of the launch. Delete it.");
        }
    }
}
