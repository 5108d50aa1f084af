// SPDX-License-Identifier: Apache-2.0
/**
 * An image for Kubernetes with KubeVirt: the disk as an OCI image, which a registry keeps, and the manifest of the
 * machine that boots from it.
 */
package io.github.javaunikernel.maven.oci;
