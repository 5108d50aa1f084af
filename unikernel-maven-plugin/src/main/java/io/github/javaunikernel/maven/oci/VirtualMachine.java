// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.oci;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.yaml.snakeyaml.DumperOptions;
import org.yaml.snakeyaml.Yaml;

/**
 * The manifest of a machine that KubeVirt boots from a containerDisk, in its API {@code kubevirt.io/v1}: a
 * {@code VirtualMachine}, or a {@code VirtualMachineInstanceReplicaSet} of several alike.
 *
 * @param name of the object, a label of DNS (RFC 1123)
 * @param pullSecret name of the secret with which the cluster gets the image, if it needs one
 * @param replicas number of machines, for a set of them
 * @param stopSeconds how long the machine may take to shut down
 */
public record VirtualMachine(
        String name,
        Optional<String> pullSecret,
        Hardware hardware,
        Optional<Probe> probe,
        OptionalInt replicas,
        int stopSeconds) {

    /**
     * What the image was made for.
     *
     * @param memory in MiB
     * @param scratchBytes size of an empty second disk, 0 for none
     */
    public record Hardware(int memory, int vcpus, boolean uefi, boolean networked, long scratchBytes) {}

    /**
     * How Kubernetes sees that the program serves.
     *
     * @param path that must answer; without it, a connection to the port is enough
     * @param startSeconds how long the program may take until it answers
     */
    public record Probe(int port, Optional<String> path, int startSeconds) {}

    private static final String API = "kubevirt.io/v1";
    /** The label that Kubernetes recommends for an application's name. */
    private static final String NAME_LABEL = "app.kubernetes.io/name";

    private static final String DISK = "image";
    private static final String SCRATCH = "scratch";
    private static final String NETWORK = "default";

    /**
     * The manifest as {@code kubectl apply} takes it.
     *
     * @param image the OCI image
     */
    public String yaml(String image) {
        DumperOptions options = new DumperOptions();
        options.setDefaultFlowStyle(DumperOptions.FlowStyle.BLOCK);
        options.setIndicatorIndent(2);
        options.setIndentWithIndicator(true);
        options.setSplitLines(false);
        return new Yaml(options).dump(manifest(image));
    }

    private Map<String, Object> manifest(String image) {
        String kind = replicas.isPresent() ? "VirtualMachineInstanceReplicaSet" : "VirtualMachine";
        return map(
                "apiVersion",
                API,
                "kind",
                kind,
                "metadata",
                map("name", name, "labels", labels()),
                "spec",
                spec(image));
    }

    private Map<String, Object> spec(String image) {
        Map<String, Object> template = map("metadata", map("labels", labels()), "spec", instance(image));
        return replicas.isPresent()
                ? map("replicas", replicas.getAsInt(), "selector", map("matchLabels", labels()), "template", template)
                : map("runStrategy", "Always", "template", template);
    }

    /** A map for each use, since the same one twice would become an anchor and its alias. */
    private Map<String, Object> labels() {
        return map(NAME_LABEL, name);
    }

    private Map<String, Object> instance(String image) {
        Map<String, Object> spec = map("domain", domain());
        if (hardware.networked()) {
            spec.put("networks", List.of(map("name", NETWORK, "pod", map())));
        }
        spec.put("volumes", volumes(image));
        probe.ifPresent(asked -> {
            // A machine that is slow to start is not ready, which is no reason to replace it.
            spec.put("readinessProbe", check(asked, 0, 2));
            spec.put("livenessProbe", check(asked, asked.startSeconds(), 10));
        });
        spec.put("terminationGracePeriodSeconds", stopSeconds);
        return spec;
    }

    private Map<String, Object> domain() {
        Map<String, Object> domain =
                map("cpu", map("cores", hardware.vcpus()), "memory", map("guest", hardware.memory() + "Mi"));
        if (hardware.uefi()) {
            domain.put("firmware", map("bootloader", map("efi", map("secureBoot", false))));
        }
        domain.put("devices", devices());
        return domain;
    }

    /** No screen, which the guest has no use for, and no balloon; the serial console is there without asking. */
    private Map<String, Object> devices() {
        List<Object> disks = new ArrayList<>();
        disks.add(map("name", DISK, "disk", map("bus", "virtio"), "bootOrder", 1));
        if (hardware.scratchBytes() > 0) {
            disks.add(map("name", SCRATCH, "disk", map("bus", "virtio")));
        }
        Map<String, Object> devices =
                map("autoattachGraphicsDevice", false, "autoattachMemBalloon", false, "rng", map(), "disks", disks);
        if (hardware.networked()) {
            devices.put("interfaces", List.of(map("name", NETWORK, "model", "virtio", "masquerade", map())));
        } else {
            devices.put("autoattachPodInterface", false);
        }
        return devices;
    }

    private List<Object> volumes(String image) {
        Map<String, Object> containerDisk = map("image", image);
        pullSecret.ifPresent(secret -> containerDisk.put("imagePullSecret", secret));
        List<Object> volumes = new ArrayList<>();
        volumes.add(map("name", DISK, "containerDisk", containerDisk));
        if (hardware.scratchBytes() > 0) {
            volumes.add(map("name", SCRATCH, "emptyDisk", map("capacity", String.valueOf(hardware.scratchBytes()))));
        }
        return volumes;
    }

    private static Map<String, Object> check(Probe probe, int delaySeconds, int periodSeconds) {
        Map<String, Object> check = probe.path()
                .map(path -> map("httpGet", map("path", path, "port", probe.port())))
                .orElseGet(() -> map("tcpSocket", map("port", probe.port())));
        check.put("initialDelaySeconds", delaySeconds);
        check.put("periodSeconds", periodSeconds);
        check.put("timeoutSeconds", 5);
        check.put("failureThreshold", 3);
        return check;
    }

    /** Names and their values in turn, in this order. */
    private static Map<String, Object> map(Object... pairs) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < pairs.length; i += 2) {
            map.put((String) pairs[i], pairs[i + 1]);
        }
        return map;
    }
}
