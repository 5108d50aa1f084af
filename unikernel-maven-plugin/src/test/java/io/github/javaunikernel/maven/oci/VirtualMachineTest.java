// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.Yaml;

/** What the manifest of each kind of machine says. The invoker project "oci" compares it with KubeVirt's API. */
class VirtualMachineTest {

    private static final VirtualMachine.Hardware PLAIN = new VirtualMachine.Hardware(256, 2, false, true, 0);
    private static final Optional<VirtualMachine.Probe> HEALTH =
            Optional.of(new VirtualMachine.Probe(8080, Optional.of("/health"), 120));

    private static Map<?, ?> manifest(
            VirtualMachine.Hardware hardware, Optional<VirtualMachine.Probe> probe, OptionalInt replicas) {
        String text = new VirtualMachine("hello", Optional.of("keys"), hardware, probe, replicas, 30)
                .yaml("registry/hello@sha256:12");
        assertFalse(text.contains("&id"), "parts are written out, where they occur twice, too");
        return new Yaml().load(text);
    }

    /** The value at a path of names, and of positions in lists. */
    private static Object at(Object tree, String path) {
        for (String step : path.split(" ")) {
            tree = tree instanceof List<?> list ? list.get(Integer.parseInt(step)) : ((Map<?, ?>) tree).get(step);
        }
        return tree;
    }

    @Test
    void oneMachineIsKeptRunning() {
        Map<?, ?> manifest = manifest(PLAIN, HEALTH, OptionalInt.empty());
        assertEquals("VirtualMachine", manifest.get("kind"));
        assertEquals("Always", at(manifest, "spec runStrategy"));
        Object instance = at(manifest, "spec template spec");
        assertEquals(2, at(instance, "domain cpu cores"));
        assertEquals("256Mi", at(instance, "domain memory guest"));
        assertEquals(
                Map.of("image", "registry/hello@sha256:12", "imagePullSecret", "keys"),
                at(instance, "volumes 0 containerDisk"));
        assertEquals("default", at(instance, "networks 0 name"));
        assertEquals(Map.of("path", "/health", "port", 8080), at(instance, "readinessProbe httpGet"));
        assertEquals(Map.of("path", "/health", "port", 8080), at(instance, "livenessProbe httpGet"));
        assertEquals(0, at(instance, "readinessProbe initialDelaySeconds"));
        assertEquals(120, at(instance, "livenessProbe initialDelaySeconds"));
        assertEquals(30, at(instance, "terminationGracePeriodSeconds"));
        assertNull(at(instance, "domain firmware"));
    }

    @Test
    void severalAreASetWithItsSelector() {
        Map<?, ?> manifest = manifest(PLAIN, HEALTH, OptionalInt.of(3));
        assertEquals("VirtualMachineInstanceReplicaSet", manifest.get("kind"));
        assertEquals(3, at(manifest, "spec replicas"));
        assertEquals(at(manifest, "spec template metadata labels"), at(manifest, "spec selector matchLabels"));
        assertNull(at(manifest, "spec runStrategy"));
    }

    @Test
    void anImageForUefiGetsUefiWithoutSecureBoot() {
        Map<?, ?> manifest = manifest(new VirtualMachine.Hardware(256, 1, true, true, 0), HEALTH, OptionalInt.empty());
        assertEquals(Map.of("secureBoot", false), at(manifest, "spec template spec domain firmware bootloader efi"));
    }

    @Test
    void aScratchDiskIsEmptyAndNotBootedFrom() {
        Map<?, ?> manifest =
                manifest(new VirtualMachine.Hardware(256, 1, false, true, 5L << 30), HEALTH, OptionalInt.empty());
        Object instance = at(manifest, "spec template spec");
        assertEquals(Map.of("capacity", "5368709120"), at(instance, "volumes 1 emptyDisk"));
        assertEquals(at(instance, "volumes 1 name"), at(instance, "domain devices disks 1 name"));
        assertEquals(1, at(instance, "domain devices disks 0 bootOrder"));
        assertNull(at(instance, "domain devices disks 1 bootOrder"));
    }

    @Test
    void withoutANetworkThereIsNoInterfaceAndNobodyAsks() {
        Map<?, ?> manifest =
                manifest(new VirtualMachine.Hardware(256, 1, false, false, 0), Optional.empty(), OptionalInt.empty());
        Object instance = at(manifest, "spec template spec");
        assertEquals(false, at(instance, "domain devices autoattachPodInterface"));
        assertNull(at(instance, "domain devices interfaces"));
        assertNull(at(instance, "networks"));
        assertNull(at(instance, "readinessProbe"));
    }

    @Test
    void aConnectionIsEnoughForAProgramWithoutHttp() {
        Map<?, ?> manifest =
                manifest(PLAIN, Optional.of(new VirtualMachine.Probe(5432, Optional.empty(), 9)), OptionalInt.empty());
        assertEquals(Map.of("port", 5432), at(manifest, "spec template spec livenessProbe tcpSocket"));
        assertNull(at(manifest, "spec template spec livenessProbe httpGet"));
    }
}
