// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The machine image asked for, the same in every region.
 *
 * @param image         raw image file: one file system, no partition table
 * @param project       stable name of what is deployed, such as {@code groupId:artifactId}; images of one project are each
 *                      other's predecessors
 * @param name          image name, unique in account and region
 * @param description   for people, at most 255 characters
 * @param tags          put on image and snapshot beside the program's own
 * @param duplicateName what to do when the name is taken
 * @param kernelId      boot loader image (AKI); empty: found by region
 * @param volumeType    EBS volume type of the root device, such as {@code gp2}
 * @param access        who besides the owner may launch it
 * @param deprecateAt   when EC2 marks it deprecated
 * @param upload        how it gets there
 * @param state         directory that survives builds: journals of uploads and the contents of earlier snapshots
 */
public record AmiSpec(Path image, String project, String name, String description, Map<String, String> tags, DuplicateName duplicateName,
        Optional<String> kernelId, String volumeType, Access access, Optional<Instant> deprecateAt, UploadSettings upload, Path state) {

    /**
     * Who may launch an image.
     *
     * @param accounts      12-digit account ids
     * @param organizations ARNs of organisations
     */
    public record Access(List<String> accounts, List<String> organizations) {
        boolean isPrivate() {
            return accounts.isEmpty() && organizations.isEmpty();
        }
    }
}
