// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceLifecycleType;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;

/** Instances of one region: list, state, console, end. */
public final class Instances {
    private final Ec2Client ec2;
    private final Retrier retrier;
    private final CloudLog log;

    public Instances(AwsAccess access, String region, Duration timeout, CloudLog log) {
        this(access.ec2(region), new Retrier(Deadline.in(timeout), log), log);
    }

    Instances(Ec2Client ec2, Retrier retrier, CloudLog log) {
        this.ec2 = ec2;
        this.retrier = retrier;
        this.log = log;
    }

    /** The project's instances that are not terminated, the oldest first. */
    public List<RunningInstance> ofProject(String project) throws CloudException {
        return retrier.call(
                "list instances",
                () -> ec2
                        .describeInstancesPaginator(r -> r.filters(
                                Filters.tag(Images.PROJECT_TAG, project),
                                Filters.of(
                                        "instance-state-name",
                                        "pending",
                                        "running",
                                        "shutting-down",
                                        "stopping",
                                        "stopped")))
                        .reservations()
                        .stream()
                        .flatMap(reservation -> reservation.instances().stream())
                        .map(Instances::described)
                        .sorted(Comparator.comparing(RunningInstance::launched)
                                .thenComparing(RunningInstance::instanceId))
                        .toList());
    }

    private static RunningInstance described(Instance instance) {
        return new RunningInstance(
                instance.instanceId(),
                instance.imageId(),
                instance.instanceTypeAsString(),
                instance.state().nameAsString(),
                address(instance),
                instance.launchTime(),
                instance.instanceLifecycle() == InstanceLifecycleType.SPOT);
    }

    /** The public address, or else the private one. */
    static Optional<String> address(Instance instance) {
        return Optional.ofNullable(instance.publicIpAddress())
                .or(() -> Optional.ofNullable(instance.privateIpAddress()));
    }

    /**
     * What the instance wrote to its console, the last 64 KiB; EC2 takes a while to have it, until then it is empty.
     */
    public String console(String instanceId) throws CloudException {
        String output = retrier.callFresh(
                        "read the console of " + instanceId, () -> ec2.getConsoleOutput(r -> r.instanceId(instanceId)))
                .output();
        return output == null ? "" : new String(Base64.getMimeDecoder().decode(output), StandardCharsets.UTF_8);
    }

    /** Ends what a launch created and waits until it is gone. */
    public void terminate(LaunchRecord launched) throws CloudException {
        List<String> ids = launched.instances().stream()
                .map(LaunchRecord.Launched::instanceId)
                .toList();
        for (String id : ids) {
            unlessGone(() -> retrier.call("terminate " + id, () -> ec2.terminateInstances(r -> r.instanceIds(id))));
        }
        for (String id : ids) {
            unlessGone(() -> await(id, InstanceStateName.TERMINATED));
            log.info("Terminated " + id + ".");
        }
        if (launched.createdGroupId() != null) {
            deleteGroup(launched.createdGroupId());
        }
    }

    private interface Step {
        void run() throws CloudException;
    }

    private static void unlessGone(Step step) throws CloudException {
        try {
            step.run();
        } catch (CloudException e) {
            if (!e.isNotFound()) {
                throw e;
            }
        }
    }

    /** Waits for a state; another final state is an error. */
    Instance await(String instanceId, InstanceStateName wanted) throws CloudException {
        Polling polling = new Polling(retrier);
        do {
            Instance instance = describe(instanceId);
            InstanceStateName state = instance.state().name();
            if (state == wanted) {
                return instance;
            }
            if (wanted == InstanceStateName.RUNNING && state != InstanceStateName.PENDING) {
                String why = instance.stateReason() == null
                        ? "no reason given"
                        : instance.stateReason().message();
                throw new CloudException(
                        Reason.SERVICE,
                        "Instance " + instanceId + " is " + state + " instead of running: " + why + ".");
            }
        } while (polling.again());
        throw new CloudException(Reason.DEADLINE, "Instance " + instanceId + " is not " + wanted + " in time.");
    }

    private Instance describe(String instanceId) throws CloudException {
        return retrier
                .callFresh("see " + instanceId, () -> ec2.describeInstances(r -> r.instanceIds(instanceId)))
                .reservations()
                .stream()
                .flatMap(reservation -> reservation.instances().stream())
                .findFirst()
                .orElseThrow(() -> new CloudException(Reason.SERVICE, "EC2 does not describe " + instanceId + "."));
    }

    /** The group stays in use for moments after the instance is gone. */
    private void deleteGroup(String groupId) throws CloudException {
        Polling polling = new Polling(retrier);
        while (true) {
            try {
                retrier.call("delete " + groupId, () -> ec2.deleteSecurityGroup(r -> r.groupId(groupId)));
                log.info("Deleted security group " + groupId + ".");
                return;
            } catch (CloudException e) {
                if (e.isNotFound()) {
                    return;
                }
                if (!"DependencyViolation".equals(e.code()) || !polling.again()) {
                    throw e;
                }
            }
        }
    }
}
