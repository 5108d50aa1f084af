// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import io.github.javaunikernel.maven.aws.fake.FakeRegion.FakeImage;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** The EC2 Query calls about images and snapshots; machines are in {@link FakeMachines}. */
final class FakeEc2 {
    private static final Set<String> REGISTER_FIELDS = Set.of(
            "Name",
            "Description",
            "Architecture",
            "VirtualizationType",
            "KernelId",
            "RootDeviceName",
            "EnaSupport",
            "BootMode",
            "ImdsSupport",
            "BlockDeviceMapping.1.DeviceName",
            "BlockDeviceMapping.1.Ebs.SnapshotId",
            "BlockDeviceMapping.1.Ebs.VolumeSize",
            "BlockDeviceMapping.1.Ebs.VolumeType",
            "BlockDeviceMapping.1.Ebs.DeleteOnTermination",
            "BlockDeviceMapping.2.DeviceName",
            "BlockDeviceMapping.2.Ebs.VolumeSize",
            "BlockDeviceMapping.2.Ebs.VolumeType",
            "BlockDeviceMapping.2.Ebs.Encrypted",
            "BlockDeviceMapping.2.Ebs.DeleteOnTermination",
            "ImageLocation");
    private final FakeRegion region;
    private final FakeS3 s3;

    FakeEc2(FakeRegion region, FakeS3 s3) {
        this.region = region;
        this.s3 = s3;
    }

    Reply answer(Parameters p) {
        String body = switch (p.action) {
            case "DescribeImages" -> describeImages(p);
            case "RegisterImage" -> register(p);
            case "DeregisterImage" -> deregister(p);
            case "ModifyImageAttribute" -> share(p);
            case "EnableImageDeprecation" -> deprecate(p);
            case "DescribeSnapshots" -> describeSnapshots(p);
            case "DeleteSnapshot" -> deleteSnapshot(p);
            default -> new FakeMachines(region).answer(p);
        };
        p.requireEmpty();
        return Reply.xml(
                200,
                "<" + p.action
                        + "Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>fake</requestId>"
                        + body + "</" + p.action + "Response>");
    }

    private String describeImages(Parameters p) {
        List<String> owners = p.list("Owner");
        List<String> ids = p.list("ImageId");
        p.take("IncludeDeprecated");
        p.take("MaxResults");
        Map<String, List<String>> filters = p.filters();
        StringBuilder items = new StringBuilder();
        if (owners.equals(List.of("amazon"))) {
            requireKernelFilters(filters);
            region.bootLoaders.forEach((id, name) -> items.append(
                    name.matches("pv-grub-hd0_.*-x86_64\\.gz")
                            ? "<item><imageId>" + id + "</imageId><name>" + name
                                    + "</name><imageState>available</imageState><imageType>kernel</imageType></item>"
                            : ""));
            return "<imagesSet>" + items + "</imagesSet>";
        }
        if (!owners.equals(List.of("self")) && ids.isEmpty()) {
            throw new AwsFault(400, "InvalidParameterValue", "neither owner self nor ids");
        }
        for (String id : ids) {
            if (!region.images.containsKey(id)) {
                throw new AwsFault(400, "InvalidAMIID.NotFound", "The image id '[" + id + "]' does not exist");
            }
        }
        region.images.values().stream()
                .filter(image -> (ids.isEmpty() || ids.contains(image.id)) && passes(image, filters))
                .forEach(image -> items.append(item(image)));
        return "<imagesSet>" + items + "</imagesSet>";
    }

    private static void requireKernelFilters(Map<String, List<String>> filters) {
        if (!filters.getOrDefault("image-type", List.of()).equals(List.of("kernel"))
                || !filters.getOrDefault("architecture", List.of()).equals(List.of("x86_64"))) {
            throw new AwsFault(400, "FakeStrict", "boot loaders are to be sought by image-type and architecture");
        }
    }

    private static boolean passes(FakeImage image, Map<String, List<String>> filters) {
        return filters.entrySet().stream().allMatch(filter -> {
            if (filter.getKey().equals("name")) {
                return filter.getValue().contains(image.fields.get("Name"));
            }
            return passesTag(filter, image.tags);
        });
    }

    private static boolean passesTag(Map.Entry<String, List<String>> filter, Map<String, String> tags) {
        if (!filter.getKey().startsWith("tag:")) {
            throw new AwsFault(400, "InvalidParameterValue", "filter " + filter.getKey());
        }
        return filter.getValue().contains(tags.get(filter.getKey().substring(4)));
    }

    private String item(FakeImage image) {
        String ebs = "";
        if (image.snapshot() != null) {
            FakeSnapshot snapshot = region.snapshots.get(image.snapshot());
            ebs = "<blockDeviceMapping><item><deviceName>/dev/sda1</deviceName><ebs><snapshotId>" + snapshot.id
                    + "</snapshotId><volumeSize>" + snapshot.volumeGiB + "</volumeSize><encrypted>" + snapshot.encrypted
                    + "</encrypted></ebs></item>" + secondVolume(image) + "</blockDeviceMapping>";
        }
        String location = image.fields.get("ImageLocation");
        return "<item><imageId>" + image.id + "</imageId><imageState>" + image.state + "</imageState><name>"
                + image.fields.get("Name") + "</name><creationDate>"
                + image.created + "</creationDate>" + element("kernelId", image.fields.get("KernelId"))
                + element("virtualizationType", image.fields.get("VirtualizationType"))
                + element("bootMode", image.fields.get("BootMode"))
                + element("imageLocation", location)
                + "<rootDeviceName>/dev/sda1</rootDeviceName>" + ebs + tagSet(image.tags) + "</item>";
    }

    private static String secondVolume(FakeImage image) {
        String name = image.fields.get("BlockDeviceMapping.2.DeviceName");
        return name == null
                ? ""
                : "<item><deviceName>" + name + "</deviceName><ebs><volumeSize>"
                        + image.fields.get("BlockDeviceMapping.2.Ebs.VolumeSize") + "</volumeSize></ebs></item>";
    }

    private static String element(String name, String text) {
        return text == null ? "" : "<" + name + ">" + text + "</" + name + ">";
    }

    private static String tagSet(Map<String, String> tags) {
        return tags.entrySet().stream()
                .map(t -> "<item><key>" + t.getKey() + "</key><value>" + t.getValue() + "</value></item>")
                .collect(Collectors.joining("", "<tagSet>", "</tagSet>"));
    }

    private String register(Parameters p) {
        boolean dryRun = "true".equals(p.take("DryRun"));
        Map<String, String> tags = p.tags("image");
        Map<String, String> fields = new LinkedHashMap<>();
        for (String field : REGISTER_FIELDS) {
            String value = p.take(field);
            if (value != null) {
                fields.put(field, value);
            }
        }
        p.requireEmpty();
        if (dryRun) {
            throw new AwsFault(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.");
        }
        require(
                fields.getOrDefault("Name", "").matches("[A-Za-z0-9 ()\\[\\]./'@_-]{3,128}"),
                "InvalidAMIName.Malformed",
                "Name");
        require("x86_64".equals(fields.get("Architecture")), "InvalidParameterValue", "Architecture");
        requireKind(fields);
        synchronized (region) {
            for (FakeImage image : region.images.values()) {
                require(
                        !image.fields.get("Name").equals(fields.get("Name")),
                        "InvalidAMIName.Duplicate",
                        "AMI name is already in use by AMI " + image.id);
            }
            requireSource(fields);
            FakeImage image = new FakeImage(
                    region.nextId("ami"), fields, tags, DateTimeFormatter.ISO_INSTANT.format(Instant.now()));
            region.images.put(image.id, image);
            return "<imageId>" + image.id + "</imageId>";
        }
    }

    /** What each kind of image must have and must not have; source: RegisterImage in the EC2 API reference. */
    private static void requireKind(Map<String, String> fields) {
        String kind = fields.getOrDefault("VirtualizationType", "paravirtual");
        String imds = fields.getOrDefault("ImdsSupport", "v2.0");
        require(
                imds.equals("v2.0"),
                "InvalidParameterValue",
                "Value (" + imds + ") for parameter ImdsSupport is invalid.");
        switch (kind) {
            case "hvm" -> requireHvm(fields);
            case "paravirtual" -> requireParavirtual(fields);
            default ->
                throw new AwsFault(
                        400,
                        "InvalidParameterValue",
                        "Value (" + kind + ") for parameter virtualizationType is invalid.");
        }
    }

    private static void requireHvm(Map<String, String> fields) {
        require(
                !fields.containsKey("KernelId"),
                "InvalidParameterCombination",
                "The parameter KernelId is not recognized for hvm images");
        require(!fields.containsKey("ImageLocation"), "FakeStrict", "an hvm image from S3");
        require("true".equals(fields.getOrDefault("EnaSupport", "true")), "InvalidParameterValue", "EnaSupport");
        require(
                Set.of("legacy-bios", "uefi", "uefi-preferred")
                        .contains(fields.getOrDefault("BootMode", "legacy-bios")),
                "InvalidParameterValue",
                "BootMode");
    }

    private static void requireParavirtual(Map<String, String> fields) {
        for (String field : List.of("EnaSupport", "BootMode")) {
            require(
                    !fields.containsKey(field),
                    "InvalidParameterCombination",
                    field + " cannot be used with paravirtual images");
        }
        require(String.valueOf(fields.get("KernelId")).startsWith("aki-"), "InvalidAKIID.Malformed", "KernelId");
    }

    private void requireSource(Map<String, String> fields) {
        if (fields.containsKey("ImageLocation")) {
            require(
                    s3.objects().containsKey(fields.get("ImageLocation")),
                    "InvalidManifest",
                    "no manifest at " + fields.get("ImageLocation"));
            return;
        }
        FakeSnapshot snapshot = region.snapshots.get(fields.get("BlockDeviceMapping.1.Ebs.SnapshotId"));
        require(snapshot != null, "InvalidSnapshot.NotFound", "snapshot");
        require(snapshot.state.equals("completed"), "IncorrectState", "snapshot is " + snapshot.state);
        require(
                "/dev/sda1".equals(fields.get("RootDeviceName"))
                        && "/dev/sda1".equals(fields.get("BlockDeviceMapping.1.DeviceName")),
                "InvalidBlockDeviceMapping",
                "root");
        require(
                Long.parseLong(fields.get("BlockDeviceMapping.1.Ebs.VolumeSize")) >= snapshot.volumeGiB,
                "InvalidBlockDeviceMapping",
                "VolumeSize");
        require(
                "true".equals(fields.get("BlockDeviceMapping.1.Ebs.DeleteOnTermination")),
                "FakeStrict",
                "DeleteOnTermination");
        if (fields.containsKey("BlockDeviceMapping.2.DeviceName")) {
            require(
                    !"/dev/sda1".equals(fields.get("BlockDeviceMapping.2.DeviceName"))
                            && Long.parseLong(fields.get("BlockDeviceMapping.2.Ebs.VolumeSize")) >= 1,
                    "InvalidBlockDeviceMapping",
                    "second volume");
            require(
                    "true".equals(fields.get("BlockDeviceMapping.2.Ebs.DeleteOnTermination")),
                    "FakeStrict",
                    "DeleteOnTermination");
        }
    }

    private String deregister(Parameters p) {
        String id = p.require("ImageId");
        require(region.images.remove(id) != null, "InvalidAMIID.NotFound", id);
        return "<return>true</return>";
    }

    private String share(Parameters p) {
        FakeImage image = image(p);
        List<String> added = new ArrayList<>();
        for (int i = 1; ; i++) {
            String account = p.take("LaunchPermission.Add." + i + ".UserId");
            String arn = p.take("LaunchPermission.Add." + i + ".OrganizationArn");
            if (account == null && arn == null) {
                break;
            }
            added.add(account == null ? arn : account);
        }
        require(!added.isEmpty(), "InvalidParameterCombination", "nothing to add");
        require(
                image.snapshot() == null || !region.snapshots.get(image.snapshot()).encrypted,
                "InvalidParameter",
                "cannot share an image with an AWS-managed key");
        synchronized (image) {
            added.stream().filter(who -> !image.launchPermissions.contains(who)).forEach(image.launchPermissions::add);
        }
        return "<return>true</return>";
    }

    private String deprecate(Parameters p) {
        FakeImage image = image(p);
        image.deprecationTime = p.require("DeprecateAt");
        Instant.parse(image.deprecationTime);
        return "<return>true</return>";
    }

    private FakeImage image(Parameters p) {
        FakeImage image = region.images.get(p.require("ImageId"));
        require(image != null, "InvalidAMIID.NotFound", "image");
        return image;
    }

    private String describeSnapshots(Parameters p) {
        List<String> owners = p.list("Owner");
        List<String> ids = p.list("SnapshotId");
        p.take("MaxResults");
        Map<String, List<String>> filters = p.filters();
        require(
                owners.equals(List.of("self")) || !ids.isEmpty(),
                "InvalidParameterValue",
                "neither owner self nor ids");
        for (String id : ids) {
            require(
                    region.snapshots.containsKey(id),
                    "InvalidSnapshot.NotFound",
                    "The snapshot '" + id + "' does not exist.");
        }
        StringBuilder items = new StringBuilder();
        for (FakeSnapshot snapshot : region.snapshots.values()) {
            boolean wanted = ids.isEmpty()
                    ? filters.entrySet().stream().allMatch(f -> passesTag(f, snapshot.tags))
                    : ids.contains(snapshot.id);
            if (wanted) {
                look(snapshot);
                items.append("<item><snapshotId>")
                        .append(snapshot.id)
                        .append("</snapshotId><status>")
                        .append(snapshot.state)
                        .append("</status><startTime>")
                        .append(snapshot.started)
                        .append("</startTime><volumeSize>")
                        .append(snapshot.volumeGiB)
                        .append("</volumeSize><encrypted>")
                        .append(snapshot.encrypted)
                        .append("</encrypted>")
                        .append(snapshot.kmsKeyArn == null ? "" : "<kmsKeyId>" + snapshot.kmsKeyArn + "</kmsKeyId>")
                        .append(tagSet(snapshot.tags))
                        .append("</item>");
            }
        }
        return "<snapshotSet>" + items + "</snapshotSet>";
    }

    /** A completing snapshot is completed after a few looks. */
    private static void look(FakeSnapshot snapshot) {
        synchronized (snapshot) {
            if (snapshot.completing && snapshot.state.equals("pending") && --snapshot.looksLeft < 0) {
                snapshot.state = "completed";
            }
        }
    }

    private String deleteSnapshot(Parameters p) {
        String id = p.require("SnapshotId");
        synchronized (region) {
            require(region.snapshots.containsKey(id), "InvalidSnapshot.NotFound", id);
            for (FakeImage image : region.images.values()) {
                require(
                        !id.equals(image.snapshot()),
                        "InvalidSnapshot.InUse",
                        "The snapshot " + id + " is currently in use by " + image.id);
            }
            region.snapshots.remove(id);
        }
        return "<return>true</return>";
    }

    static void require(boolean fine, String code, String message) {
        if (!fine) {
            throw new AwsFault(400, code, message);
        }
    }
}
