// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The machine images asked for, the same in every region; all are made from one snapshot.
 *
 * @param image raw image file: one file system, or a partitioned disk for UEFI
 * @param size machine that the image was built for
 * @param project stable name of what is deployed, such as {@code groupId:artifactId}; images of one project are each
 *     other's predecessors
 * @param names the kinds of machine image, each with its name, which is unique in account and region; in the order in
 *     which they are made, at least one
 * @param description for people, at most 255 characters
 * @param tags put on images and snapshot beside the program's own
 * @param duplicateName what to do when a name is taken
 * @param kernelId boot loader image (AKI) of the paravirtual one; empty: found by region
 * @param volumeType EBS volume type of the root device, such as {@code gp2}; empty: by kind
 * @param access who besides the owner may launch them
 * @param deprecateAt when EC2 marks them deprecated
 * @param upload how the snapshot gets there
 * @param state directory that survives builds: journals of uploads and the contents of earlier snapshots
 */
public record AmiSpec(
        Path image,
        MachineSize size,
        String project,
        Map<Virtualization, String> names,
        String description,
        Map<String, String> tags,
        DuplicateName duplicateName,
        Optional<String> kernelId,
        Optional<String> volumeType,
        Access access,
        Optional<Instant> deprecateAt,
        UploadSettings upload,
        Path state) {

    /**
     * Who may launch an image.
     *
     * @param accounts 12-digit account ids
     * @param organizations ARNs of organisations
     */
    public record Access(List<String> accounts, List<String> organizations) {
        boolean isPrivate() {
            return accounts.isEmpty() && organizations.isEmpty();
        }
    }
}
