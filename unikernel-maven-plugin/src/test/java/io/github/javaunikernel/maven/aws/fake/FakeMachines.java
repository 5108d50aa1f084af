// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import io.github.javaunikernel.maven.aws.fake.FakeRegion.FakeGroup;
import io.github.javaunikernel.maven.aws.fake.FakeRegion.FakeImage;
import io.github.javaunikernel.maven.aws.fake.FakeRegion.FakeInstance;
import io.github.javaunikernel.maven.aws.fake.FakeRegion.FakeType;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The EC2 Query calls about types, instances and security groups. */
final class FakeMachines {
    private static final Set<String> RUN_FIELDS = Set.of(
            "ImageId",
            "InstanceType",
            "MinCount",
            "MaxCount",
            "ClientToken",
            "UserData",
            "SubnetId",
            "MetadataOptions.HttpTokens",
            "SecurityGroupId.1",
            "SecurityGroupId.2",
            "InstanceInitiatedShutdownBehavior",
            "IamInstanceProfile.Name",
            "IamInstanceProfile.Arn",
            "InstanceMarketOptions.MarketType",
            "InstanceMarketOptions.SpotOptions.SpotInstanceType",
            "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior",
            "TagSpecification.1.ResourceType",
            "TagSpecification.2.ResourceType");
    private final FakeRegion region;

    FakeMachines(FakeRegion region) {
        this.region = region;
    }

    String answer(Parameters p) {
        return switch (p.action) {
            case "DescribeInstanceTypes" -> types(p);
            case "DescribeVpcs" -> vpcs(p);
            case "DescribeSubnets" -> subnets(p);
            case "CreateSecurityGroup" -> createGroup(p);
            case "AuthorizeSecurityGroupIngress" -> openPorts(p);
            case "DeleteSecurityGroup" -> deleteGroup(p);
            case "RunInstances" -> run(p);
            case "DescribeInstances" -> describe(p);
            case "TerminateInstances" -> terminate(p);
            case "GetConsoleOutput" -> console(p);
            default ->
                throw new AwsFault(
                        400, "InvalidAction", "The action " + p.action + " is not valid for this web service.");
        };
    }

    private String types(Parameters p) {
        p.take("MaxResults");
        Map<String, List<String>> filters = p.filters();
        FakeEc2.require(
                filters.keySet()
                        .equals(Set.of("supported-virtualization-type", "supported-boot-mode", "instance-type")),
                "FakeStrict",
                "types are to be sought by virtualization type, boot mode and name");
        FakeEc2.require(filters.get("instance-type").size() <= 200, "FilterLimitExceeded", "instance-type");
        String kind = filters.get("supported-virtualization-type").get(0);
        String mode = filters.get("supported-boot-mode").get(0);
        FakeEc2.require(Set.of("legacy-bios", "uefi").contains(mode), "InvalidParameterValue", "supported-boot-mode");
        StringBuilder items = new StringBuilder();
        region.types.forEach((name, type) -> items.append(
                !type.runs(kind)
                                || !type.boots(mode)
                                || !filters.get("instance-type").contains(name)
                        ? ""
                        : "<item><instanceType>" + name + "</instanceType></item>"));
        return "<instanceTypeSet>" + items + "</instanceTypeSet>";
    }

    private String vpcs(Parameters p) {
        FakeEc2.require(p.filters().equals(Map.of("is-default", List.of("true"))), "FakeStrict", "VPC filter");
        return "<vpcSet><item><vpcId>vpc-00000001</vpcId><isDefault>true</isDefault></item></vpcSet>";
    }

    private String subnets(Parameters p) {
        FakeEc2.require(p.list("SubnetId").size() == 1, "FakeStrict", "one subnet");
        return "<subnetSet><item><vpcId>vpc-00000002</vpcId></item></subnetSet>";
    }

    private String createGroup(Parameters p) {
        String name = p.require("GroupName");
        p.require("GroupDescription");
        FakeEc2.require(p.require("VpcId").startsWith("vpc-"), "InvalidVpcID.NotFound", "VpcId");
        p.tags("security-group");
        FakeEc2.require(
                region.groups.values().stream().noneMatch(g -> g.name.equals(name)), "InvalidGroup.Duplicate", name);
        FakeGroup group = new FakeGroup(region.nextId("sg"), name);
        region.groups.put(group.id, group);
        return "<return>true</return><groupId>" + group.id + "</groupId>";
    }

    private String openPorts(Parameters p) {
        FakeGroup group = region.groups.get(p.require("GroupId"));
        FakeEc2.require(group != null, "InvalidGroup.NotFound", "group");
        for (int i = 1; ; i++) {
            String protocol = p.take("IpPermissions." + i + ".IpProtocol");
            if (protocol == null) {
                return "<return>true</return>";
            }
            String rule = protocol + " " + p.require("IpPermissions." + i + ".FromPort") + "-"
                    + p.require("IpPermissions." + i + ".ToPort") + " "
                    + p.require("IpPermissions." + i + ".IpRanges.1.CidrIp");
            FakeEc2.require(!group.rules.contains(rule), "InvalidPermission.Duplicate", rule);
            group.rules.add(rule);
        }
    }

    private String deleteGroup(Parameters p) {
        String id = p.require("GroupId");
        FakeEc2.require(region.groups.containsKey(id), "InvalidGroup.NotFound", id);
        boolean used = region.instances.values().stream()
                .anyMatch(i -> !i.state.equals("terminated") && i.fields.containsValue(id));
        FakeEc2.require(!used, "DependencyViolation", "resource " + id + " has a dependent object");
        region.groups.remove(id);
        return "<return>true</return>";
    }

    private synchronized String run(Parameters p) {
        Map<String, String> fields = new LinkedHashMap<>(p.peek());
        Map<String, String> tags = p.tags("instance", "volume");
        RUN_FIELDS.forEach(p::take);
        p.requireEmpty();
        String token = fields.getOrDefault("ClientToken", "");
        FakeEc2.require(!token.isEmpty(), "FakeStrict", "ClientToken");
        FakeEc2.require(region.images.containsKey(fields.get("ImageId")), "InvalidAMIID.NotFound", "ImageId");
        requireFit(region.images.get(fields.get("ImageId")), fields.get("InstanceType"));
        int count = Integer.parseInt(fields.get("MinCount"));
        FakeEc2.require(count > 0 && fields.get("MaxCount").equals(fields.get("MinCount")), "FakeStrict", "count");
        FakeEc2.require("required".equals(fields.get("MetadataOptions.HttpTokens")), "FakeStrict", "IMDSv2");
        FakeEc2.require(
                fields.get("UserData") == null || Base64.getDecoder().decode(fields.get("UserData")).length <= 16_384,
                "InvalidParameterValue",
                "UserData");
        FakeEc2.require(
                region.groups.containsKey(fields.get("SecurityGroupId.1"))
                        || fields.get("SecurityGroupId.1").equals("sg-given"),
                "InvalidGroup.NotFound",
                "group");
        synchronized (region) {
            List<String> ids = region.runTokens.computeIfAbsent(
                    token,
                    t -> Stream.generate(() -> region.nextId("i")).limit(count).toList());
            ids.forEach(id -> region.instances.putIfAbsent(id, new FakeInstance(id, fields, tags)));
            return "<instancesSet>"
                    + ids.stream().map(id -> item(region.instances.get(id))).collect(Collectors.joining())
                    + "</instancesSet>";
        }
    }

    /** The refusals are worded as EC2 words them. */
    private void requireFit(FakeImage image, String name) {
        FakeType type = region.types.get(name);
        FakeEc2.require(type != null, "InvalidParameterValue", "Invalid value '" + name + "' for InstanceType.");
        FakeEc2.require(
                type.runs(image.fields.get("VirtualizationType")),
                "InvalidParameterCombination",
                "Virtualization type 'hvm' is required for instances of type '" + name + "'.");
        String mode = image.fields.getOrDefault("BootMode", "legacy-bios");
        FakeEc2.require(
                type.boots(mode),
                "InvalidParameterCombination",
                "The boot mode '" + mode + "' is not supported by the instance type '" + name + "'.");
        FakeEc2.require(
                type != FakeType.NITRO || "true".equals(image.fields.get("EnaSupport")),
                "InvalidParameterCombination",
                "Enhanced networking with the Elastic Network Adapter (ENA) is required for the '" + name
                        + "' instance type.");
    }

    private String describe(Parameters p) {
        p.take("MaxResults");
        Map<String, List<String>> filters = p.filters();
        List<String> ids = p.list("InstanceId");
        FakeEc2.require(!ids.isEmpty() || filters.size() == 2, "FakeStrict", "neither ids nor filters");
        List<FakeInstance> found = ids.isEmpty()
                ? region.instances.values().stream()
                        .filter(one -> passes(one, filters))
                        .toList()
                : ids.stream().map(this::instance).toList();
        String items = found.stream()
                .map(one -> "<item><instancesSet>" + item(one) + "</instancesSet></item>")
                .collect(Collectors.joining());
        found.forEach(FakeMachines::advance);
        return "<reservationSet>" + items + "</reservationSet>";
    }

    private static boolean passes(FakeInstance instance, Map<String, List<String>> filters) {
        return filters.entrySet().stream().allMatch(filter -> {
            String value = filter.getKey().startsWith("tag:")
                    ? instance.tags.get(filter.getKey().substring(4))
                    : instance.state;
            FakeEc2.require(
                    filter.getKey().startsWith("tag:") || filter.getKey().equals("instance-state-name"),
                    "InvalidParameterValue",
                    filter.getKey());
            return filter.getValue().contains(value);
        });
    }

    private static void advance(FakeInstance instance) {
        instance.state = switch (instance.state) {
            case "pending" -> "running";
            case "shutting-down" -> "terminated";
            default -> instance.state;
        };
    }

    private String terminate(Parameters p) {
        for (String id : p.list("InstanceId")) {
            instance(id).state = "shutting-down";
        }
        return "<instancesSet></instancesSet>";
    }

    private String console(Parameters p) {
        String id = instance(p.require("InstanceId")).id;
        String output = Base64.getMimeEncoder().encodeToString(region.console.getBytes(StandardCharsets.UTF_8));
        return "<instanceId>" + id + "</instanceId><timestamp>" + Instant.now() + "</timestamp><output>" + output
                + "</output>";
    }

    private FakeInstance instance(String id) {
        FakeInstance instance = region.instances.get(id);
        FakeEc2.require(instance != null, "InvalidInstanceID.NotFound", "The instance ID '" + id + "' does not exist");
        return instance;
    }

    private String item(FakeInstance instance) {
        String address = instance.state.equals("running") ? "<ipAddress>" + region.publicIp + "</ipAddress>" : "";
        boolean spot = "spot".equals(instance.fields.get("InstanceMarketOptions.MarketType"));
        return "<item><instanceId>" + instance.id + "</instanceId><imageId>" + instance.fields.get("ImageId")
                + "</imageId><instanceType>"
                + instance.fields.get("InstanceType") + "</instanceType><launchTime>" + instance.launched
                + "</launchTime>"
                + (spot ? "<instanceLifecycle>spot</instanceLifecycle>" : "")
                + "<instanceState><code>0</code><name>" + instance.state + "</name></instanceState>"
                + "<privateIpAddress>10.0.0.7</privateIpAddress>" + address + "</item>";
    }
}
