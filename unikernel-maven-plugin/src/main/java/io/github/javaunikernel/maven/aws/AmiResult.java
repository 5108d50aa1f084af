// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

/**
 * One machine image of a deploy; written as is to the report for machines.
 *
 * @param virtualization {@code hvm} or {@code paravirtual}
 * @param status {@code created}; {@code unchanged}: an image with the same contents is there already; {@code reused}:
 *     one of the same name is; {@code planned}: a dry run
 * @param imageId AMI; null for a dry run that would create one
 * @param parentSnapshotId the snapshot this one was made on top of; null when there was none
 * @param kernelId boot loader (AKI); null for an hvm image
 * @param kernelSource {@code given}, {@code found} or {@code table}; null for an hvm image
 * @param memory of the machine that the image was built for, in MiB; 0 when this is not known
 * @param vcpus of that machine; 0 when this is not known
 * @param imageBytes size of the image file
 * @param volumeGiB size of the volume
 * @param blocks blocks of 512 KiB with any data
 * @param blocksSent blocks this run sent
 * @param blocksSkipped blocks with data that were there already
 * @param repeatedCalls how often a remote call had to be repeated
 * @param sendMillis for the blocks alone
 * @param uploadMillis from the first call in the region to the complete snapshot
 * @param totalMillis from the first call in the region to the available image
 */
public record AmiResult(
        String region,
        String virtualization,
        String status,
        String imageId,
        String name,
        String snapshotId,
        String parentSnapshotId,
        String kernelId,
        String kernelSource,
        int memory,
        int vcpus,
        long imageBytes,
        int volumeGiB,
        int blocks,
        int blocksSent,
        int blocksSkipped,
        long repeatedCalls,
        long sendMillis,
        long uploadMillis,
        long totalMillis) {}
