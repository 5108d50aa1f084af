// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import io.github.javaunikernel.maven.aws.fake.FakeRegion.FakeGroup;
import io.github.javaunikernel.maven.aws.fake.FakeRegion.FakeInstance;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The EC2 Query calls about types, instances and security groups. */
final class FakeMachines {
    private static final Set<String> RUN_FIELDS = Set.of("ImageId", "InstanceType", "MinCount", "MaxCount", "ClientToken", "UserData", "SubnetId",
            "MetadataOptions.HttpTokens", "SecurityGroupId.1", "SecurityGroupId.2", "InstanceInitiatedShutdownBehavior",
            "TagSpecification.1.ResourceType", "TagSpecification.2.ResourceType");
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
            default -> throw new AwsFault(400, "InvalidAction", "The action " + p.action + " is not valid for this web service.");
        };
    }

    private String types(Parameters p) {
        p.take("MaxResults");
        Map<String, List<String>> filters = p.filters();
        if (!filters.getOrDefault("supported-virtualization-type", List.of()).equals(List.of("paravirtual"))) {
            throw new AwsFault(400, "FakeStrict", "types are to be sought by virtualization type");
        }
        StringBuilder items = new StringBuilder();
        region.paravirtualTypes.forEach((type, mib) -> items.append("<item><instanceType>").append(type).append("</instanceType><memoryInfo><sizeInMiB>")
                .append(mib).append("</sizeInMiB></memoryInfo></item>"));
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
        FakeEc2.require(region.groups.values().stream().noneMatch(g -> g.name.equals(name)), "InvalidGroup.Duplicate", name);
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
            String rule = protocol + " " + p.require("IpPermissions." + i + ".FromPort") + "-" + p.require("IpPermissions." + i + ".ToPort") + " "
                    + p.require("IpPermissions." + i + ".IpRanges.1.CidrIp");
            FakeEc2.require(!group.rules.contains(rule), "InvalidPermission.Duplicate", rule);
            group.rules.add(rule);
        }
    }

    private String deleteGroup(Parameters p) {
        String id = p.require("GroupId");
        FakeEc2.require(region.groups.containsKey(id), "InvalidGroup.NotFound", id);
        boolean used = region.instances.values().stream().anyMatch(i -> !i.state.equals("terminated") && i.fields.containsValue(id));
        FakeEc2.require(!used, "DependencyViolation", "resource " + id + " has a dependent object");
        region.groups.remove(id);
        return "<return>true</return>";
    }

    private synchronized String run(Parameters p) {
        Map<String, String> fields = new LinkedHashMap<>(p.peek());
        p.tags("instance", "volume");
        RUN_FIELDS.forEach(p::take);
        String token = fields.getOrDefault("ClientToken", "");
        FakeEc2.require(!token.isEmpty(), "FakeStrict", "ClientToken");
        FakeEc2.require(region.images.containsKey(fields.get("ImageId")), "InvalidAMIID.NotFound", "ImageId");
        FakeEc2.require(region.paravirtualTypes.containsKey(fields.get("InstanceType")), "InvalidParameterValue", "InstanceType");
        FakeEc2.require("1".equals(fields.get("MinCount")) && "1".equals(fields.get("MaxCount")), "FakeStrict", "count");
        FakeEc2.require("required".equals(fields.get("MetadataOptions.HttpTokens")), "FakeStrict", "IMDSv2");
        FakeEc2.require(fields.get("UserData") == null || Base64.getDecoder().decode(fields.get("UserData")).length <= 16_384, "InvalidParameterValue", "UserData");
        FakeEc2.require(region.groups.containsKey(fields.get("SecurityGroupId.1")) || fields.get("SecurityGroupId.1").equals("sg-given"), "InvalidGroup.NotFound", "group");
        synchronized (region) {
            String id = region.runTokens.computeIfAbsent(token, t -> region.nextId("i"));
            region.instances.putIfAbsent(id, new FakeInstance(id, fields));
            return "<instancesSet>" + item(region.instances.get(id)) + "</instancesSet>";
        }
    }

    private String describe(Parameters p) {
        StringBuilder items = new StringBuilder();
        for (String id : p.list("InstanceId")) {
            FakeInstance instance = instance(id);
            items.append("<item><instancesSet>").append(item(instance)).append("</instancesSet></item>");
            advance(instance);
        }
        return "<reservationSet>" + items + "</reservationSet>";
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
        return "<instanceId>" + id + "</instanceId><timestamp>" + Instant.now() + "</timestamp><output>" + output + "</output>";
    }

    private FakeInstance instance(String id) {
        FakeInstance instance = region.instances.get(id);
        FakeEc2.require(instance != null, "InvalidInstanceID.NotFound", "The instance ID '" + id + "' does not exist");
        return instance;
    }

    private String item(FakeInstance instance) {
        String address = instance.state.equals("running") ? "<ipAddress>" + region.publicIp + "</ipAddress>" : "";
        return "<item><instanceId>" + instance.id + "</instanceId><instanceState><code>0</code><name>" + instance.state + "</name></instanceState>"
                + "<privateIpAddress>10.0.0.7</privateIpAddress>" + address + "</item>";
    }
}
