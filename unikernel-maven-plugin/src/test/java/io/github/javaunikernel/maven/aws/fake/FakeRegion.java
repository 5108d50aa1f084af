// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** What the account has in one region. */
public final class FakeRegion {
    final String name;
    public final Map<String, FakeSnapshot> snapshots = new ConcurrentHashMap<>();
    public final Map<String, FakeImage> images = new ConcurrentHashMap<>();
    public final Map<String, FakeInstance> instances = new ConcurrentHashMap<>();
    public final Map<String, FakeGroup> groups = new ConcurrentHashMap<>();
    final Map<String, String> startTokens = new ConcurrentHashMap<>();
    final Map<String, List<String>> runTokens = new ConcurrentHashMap<>();
    /** PV-GRUB names by id; a test may clear it. */
    public final Map<String, String> bootLoaders = new LinkedHashMap<>();
    /** Types that the region offers; a test may change them. */
    public final Map<String, FakeType> types = new LinkedHashMap<>();
    /** What GetConsoleOutput shows of any instance. */
    public volatile String console = "unikernel: ready\n";
    /** Private address that new instances answer at. */
    public volatile String publicIp = "127.0.0.1";
    /** How often a fresh snapshot is unknown to PutSnapshotBlock. */
    public volatile int unknownAtFirst;
    /** How long every EBS direct call takes. */
    public volatile long ebsDelayMillis;

    final AtomicInteger serial = new AtomicInteger(1);

    FakeRegion(String name) {
        this.name = name;
        bootLoaders.put("aki-00000104", "pv-grub-hd0_1.04-x86_64.gz");
        bootLoaders.put("aki-00000105", "pv-grub-hd0_1.05-x86_64.gz");
        bootLoaders.put("aki-00000905", "pv-grub-hd00_1.05-x86_64.gz");
        bootLoaders.put("aki-00000386", "pv-grub-hd0_1.05-i386.gz");
        if (!name.equals("us-east-2")) {
            List.of("m3.medium", "t1.micro", "m1.small", "c1.medium", "c3.xlarge")
                    .forEach(type -> types.put(type, FakeType.OLD));
        }
        types.put("t2.micro", FakeType.XEN);
        List.of("t3.micro", "t3a.nano", "t3a.small", "c6a.large").forEach(type -> types.put(type, FakeType.NITRO));
    }

    String nextId(String prefix) {
        return prefix + String.format("-%017x", serial.getAndIncrement());
    }

    /** What a type demands of an image. */
    public enum FakeType {
        /** Runs both kinds. */
        OLD,
        /** Runs hvm images. */
        XEN,
        /** Runs hvm images with ENA, and has UEFI. */
        NITRO;

        boolean runs(String virtualization) {
            return this == OLD || virtualization.equals("hvm");
        }

        boolean boots(String mode) {
            return this == NITRO || mode.equals("legacy-bios");
        }
    }

    /** A registered image with every field RegisterImage brought. */
    public static final class FakeImage {
        public final String id;
        public final Map<String, String> fields;
        public final Map<String, String> tags;
        public final List<String> launchPermissions = new ArrayList<>();
        public volatile String deprecationTime;
        final String created;
        volatile String state = "available";

        FakeImage(String id, Map<String, String> fields, Map<String, String> tags, String created) {
            this.id = id;
            this.fields = fields;
            this.tags = tags;
            this.created = created;
        }

        String snapshot() {
            return fields.get("BlockDeviceMapping.1.Ebs.SnapshotId");
        }
    }

    /** A launched instance with every field RunInstances brought. */
    public static final class FakeInstance {
        public final String id;
        public final Map<String, String> fields;
        public final Map<String, String> tags;
        public volatile String state = "pending";
        public volatile Instant launched = Instant.now();

        FakeInstance(String id, Map<String, String> fields, Map<String, String> tags) {
            this.id = id;
            this.fields = fields;
            this.tags = tags;
        }
    }

    /** A security group and the rules it was given, as {@code protocol from-to cidr}. */
    public static final class FakeGroup {
        public final String id;
        public final String name;
        public final List<String> rules = new ArrayList<>();

        FakeGroup(String id, String name) {
            this.id = id;
            this.name = name;
        }
    }
}
