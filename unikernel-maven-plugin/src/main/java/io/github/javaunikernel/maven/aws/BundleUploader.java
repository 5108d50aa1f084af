// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.ec2.model.Image;
import software.amazon.awssdk.services.ec2.model.RegisterImageRequest;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.TagSpecification;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ObjectCannedACL;

/** Puts a bundle into S3 for EC2 to read, and registers the image from its manifest. */
public final class BundleUploader {
    private final AwsAccess access;
    private final String region;
    private final Retrier retrier;
    private final CloudLog log;

    public BundleUploader(AwsAccess access, String region, Duration timeout, CloudLog log) {
        this.access = access;
        this.region = region;
        this.retrier = new Retrier(Deadline.in(timeout), log);
        this.log = log;
    }

    /** The newest boot loader that Amazon offers in the region. */
    public String findBootLoader() throws CloudException {
        return PvGrub.find(access.ec2(region), retrier, region, log).kernelId();
    }

    /**
     * Refuses a name that another image has. This must be known before anything is written, because a folder may hold
     * the parts of that image.
     */
    public void requireFree(String imageName) throws CloudException {
        Optional<Image> namesake = new Images(access.ec2(region), retrier).named(imageName);
        if (namesake.isPresent()) {
            throw new CloudException(
                    CloudSetting.BUNDLE_NAME,
                    "Region " + region + " already has an image \"" + imageName + "\", "
                            + namesake.get().imageId() + ".",
                    "Choose another name and folder, or deregister that image first.");
        }
    }

    /**
     * Uploads, the manifest last, and registers. When that fails, what was uploaded is deleted.
     *
     * @param folder key prefix in the bucket, without slash at the end; may be empty
     * @return the AMI's id
     */
    public String upload(Bundle bundle, String bucket, String folder, String imageName, String project)
            throws CloudException {
        List<String> keys = new ArrayList<>();
        try {
            for (Path part : bundle.parts()) {
                put(bucket, folder, part, keys);
            }
            put(bucket, folder, bundle.manifest(), keys);
            RegisterImageRequest request = RegisterImageRequest.builder()
                    .name(imageName)
                    .architecture("x86_64")
                    .virtualizationType("paravirtual")
                    .kernelId(bundle.kernelId())
                    .imageLocation(bucket + "/" + keys.get(keys.size() - 1))
                    .tagSpecifications(TagSpecification.builder()
                            .resourceType(ResourceType.IMAGE)
                            .tags(Images.tags(Map.of("Name", imageName, Images.PROJECT_TAG, project)))
                            .build())
                    .build();
            return new Images(access.ec2(region), retrier).register(request);
        } catch (CloudException e) {
            deleteAll(bucket, keys);
            throw e;
        }
    }

    private void put(String bucket, String folder, Path file, List<String> keys) throws CloudException {
        String key = folder.isEmpty() ? file.getFileName().toString() : folder + "/" + file.getFileName();
        String md5 = md5(file);
        S3Client s3 = access.s3(region);
        keys.add(key);
        retrier.call(
                "upload " + key + " to " + bucket,
                () -> s3.putObject(
                        r -> r.bucket(bucket)
                                .key(key)
                                .acl(ObjectCannedACL.AWS_EXEC_READ)
                                .contentMD5(md5),
                        RequestBody.fromFile(file)));
        log.info("Uploaded " + key + ".");
    }

    private static String md5(Path file) throws CloudException {
        try {
            return Digests.base64(Digests.newDigest("MD5").digest(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new CloudException(
                    Reason.RECORD,
                    "The part " + file + " of the bundle cannot be read: " + FileTrouble.cause(file, e) + ".",
                    e);
        }
    }

    private void deleteAll(String bucket, List<String> keys) {
        for (String key : keys) {
            try {
                retrier.call(
                        "delete " + key,
                        () -> access.s3(region)
                                .deleteObject(r -> r.bucket(bucket).key(key)));
            } catch (CloudException e) {
                log.warn("Left in S3: " + bucket + "/" + key + ": " + e.getMessage());
            }
        }
    }
}
