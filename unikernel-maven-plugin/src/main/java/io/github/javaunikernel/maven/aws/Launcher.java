// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.HttpTokensState;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.InstanceTypeInfo;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/** Starts one instance of an image without a key pair, and waits until its program answers. Used once. */
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
     * Launches and waits. On failure the console is shown and what was created is taken down again, unless it is to be kept.
     */
    public LaunchRecord launch() throws CloudException {
        if (spec.userData().isPresent() && spec.userData().get().length > LaunchSpec.MAX_USER_DATA) {
            throw new CloudException(Reason.SETTING, "The user data is " + spec.userData().get().length
                    + " bytes long; EC2 accepts at most " + LaunchSpec.MAX_USER_DATA + ".");
        }
        launched = new LaunchRecord(region, spec.imageId(), null, null, chooseType(), null);
        try {
            List<String> groups = spec.securityGroups().isEmpty() ? List.of(createGroup()) : spec.securityGroups();
            Instance instance = run(groups);
            String url = url(instance);
            note(new LaunchRecord(region, spec.imageId(), launched.createdGroupId(), instance.instanceId(), launched.instanceType(), url));
            if (spec.healthPath().isPresent()) {
                awaitHealthy(URI.create(url).resolve(spec.healthPath().get()));
            }
            return launched;
        } catch (CloudException e) {
            afterFailure();
            throw e;
        }
    }

    private String chooseType() throws CloudException {
        List<String> types = InstanceTypes.paravirtual(ec2, retrier, region).stream().map(InstanceTypeInfo::instanceTypeAsString).toList();
        if (spec.instanceType().isPresent() && !types.contains(spec.instanceType().get())) {
            throw new CloudException(Reason.SETTING, "Instance type " + spec.instanceType().get() + " does not run paravirtual images in " + region
                    + "; those that do are " + String.join(", ", types) + ".");
        }
        return spec.instanceType().orElse(types.get(0));
    }

    private String createGroup() throws CloudException {
        String vpc = network();
        String name = "unikernel-" + UUID.randomUUID();
        String groupId = retrier.call("create a security group", () -> ec2.createSecurityGroup(r -> r
                .groupName(name).description("Ports of " + spec.imageId()).vpcId(vpc)
                .tagSpecifications(tagged(ResourceType.SECURITY_GROUP)))).groupId();
        note(new LaunchRecord(region, spec.imageId(), groupId, null, launched.instanceType(), null));
        List<IpPermission> rules = spec.ports().stream().map(port -> IpPermission.builder().ipProtocol("tcp").fromPort(port).toPort(port)
                .ipRanges(IpRange.builder().cidrIp(spec.cidr()).build()).build()).toList();
        try {
            retrier.callFresh("open ports", () -> ec2.authorizeSecurityGroupIngress(r -> r.groupId(groupId).ipPermissions(rules)));
        } catch (CloudException e) {
            // an earlier attempt got through although its answer was lost
            if (!"InvalidPermission.Duplicate".equals(e.code())) {
                throw e;
            }
        }
        return groupId;
    }

    private String network() throws CloudException {
        if (spec.subnetId().isPresent()) {
            return retrier.call("see " + spec.subnetId().get(), () -> ec2.describeSubnets(r -> r.subnetIds(spec.subnetId().get()))).subnets().get(0).vpcId();
        }
        return retrier.call("find the default network", () -> ec2.describeVpcs(r -> r.filters(Filters.of("is-default", "true")))).vpcs().stream()
                .findFirst().orElseThrow(() -> new CloudException(Reason.SETTING, "The account has no default network in " + region + " and no subnet is given."))
                .vpcId();
    }

    private Instance run(List<String> groups) throws CloudException {
        RunInstancesRequest.Builder request = RunInstancesRequest.builder()
                .imageId(spec.imageId())
                .instanceType(launched.instanceType())
                .minCount(1).maxCount(1)
                .clientToken(UUID.randomUUID().toString())
                .securityGroupIds(groups)
                .metadataOptions(m -> m.httpTokens(HttpTokensState.REQUIRED))
                .tagSpecifications(tagged(ResourceType.INSTANCE), tagged(ResourceType.VOLUME));
        spec.subnetId().ifPresent(request::subnetId);
        spec.userData().ifPresent(data -> request.userData(Base64.getEncoder().encodeToString(data)));
        String instanceId = retrier.callFresh("start an instance of " + spec.imageId(), () -> ec2.runInstances(request.build())).instances().get(0).instanceId();
        note(new LaunchRecord(region, spec.imageId(), launched.createdGroupId(), instanceId, launched.instanceType(), null));
        log.info("Started " + instanceId + " (" + launched.instanceType() + ", " + region + ").");
        return new Instances(ec2, retrier, log).await(instanceId, InstanceStateName.RUNNING);
    }

    private TagSpecification tagged(ResourceType type) {
        return TagSpecification.builder().resourceType(type).tags(Images.tags(Map.of("Name", spec.name()))).build();
    }

    private String url(Instance instance) {
        String address = instance.publicIpAddress() != null ? instance.publicIpAddress() : instance.privateIpAddress();
        int port = spec.ports().isEmpty() ? 80 : spec.ports().get(0);
        return "http://" + address + (port == 80 ? "" : ":" + port) + "/";
    }

    private void awaitHealthy(URI health) throws CloudException {
        HttpClient client = HttpClient.newBuilder().connectTimeout(HEALTH_ATTEMPT).build();
        HttpRequest request = HttpRequest.newBuilder(health).timeout(HEALTH_ATTEMPT).build();
        Polling polling = new Polling(retrier);
        String last = "no answer";
        do {
            try {
                int status = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
                if (status / 100 == 2) {
                    return;
                }
                last = "status " + status;
            } catch (IOException e) {
                last = String.valueOf(e.getMessage());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CloudException(Reason.INTERRUPTED, "Interrupted while waiting for " + health + ".", e);
            }
        } while (polling.again());
        throw new CloudException(Reason.DEADLINE, health + " did not answer in time (" + last + ").");
    }

    private void note(LaunchRecord record) throws CloudException {
        launched = record;
        record.save(recordFile);
    }

    private void afterFailure() {
        Instances instances = new Instances(access, region, CLEAN_UP, log);
        try {
            if (launched.instanceId() != null) {
                log.warn("Console of " + launched.instanceId() + ":\n" + instances.console(launched.instanceId()));
            }
            if (!spec.keepOnFailure()) {
                instances.terminate(launched);
                Files.deleteIfExists(recordFile);
            }
        } catch (CloudException | IOException e) {
            log.warn("Not everything could be deleted, see " + recordFile + ": " + e.getMessage());
        }
    }
}
