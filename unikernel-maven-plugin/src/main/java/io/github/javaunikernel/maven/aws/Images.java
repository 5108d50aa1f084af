// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.BlockDeviceMapping;
import software.amazon.awssdk.services.ec2.model.EbsBlockDevice;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Image;
import software.amazon.awssdk.services.ec2.model.ImageState;
import software.amazon.awssdk.services.ec2.model.LaunchPermission;
import software.amazon.awssdk.services.ec2.model.RegisterImageRequest;
import software.amazon.awssdk.services.ec2.model.Tag;

/** Machine images of the account in one region: search, registration, removal. */
final class Images {
    /** Tag with the project an image or snapshot belongs to. */
    static final String PROJECT_TAG = "unikernel:project";
    /** Tag with the identity of an image's contents, see {@link BlockMap#identity()}. */
    static final String CONTENTS_TAG = "unikernel:contents";

    private final Ec2Client ec2;
    private final Retrier retrier;

    Images(Ec2Client ec2, Retrier retrier) {
        this.ec2 = ec2;
        this.retrier = retrier;
    }

    /** The account's images that pass the filters, newest first. */
    List<Image> owned(Filter... filters) throws CloudException {
        return retrier.call(
                "list images",
                () -> ec2
                        .describeImagesPaginator(
                                r -> r.owners("self").filters(filters).includeDeprecated(true))
                        .images()
                        .stream()
                        .sorted(Comparator.comparing(
                                        (Image image) -> Objects.requireNonNullElse(image.creationDate(), ""))
                                .reversed())
                        .toList());
    }

    List<Image> ofProject(String project) throws CloudException {
        return owned(Filters.tag(PROJECT_TAG, project));
    }

    Optional<Image> named(String name) throws CloudException {
        return owned(Filters.of("name", name)).stream().findFirst();
    }

    Optional<Image> find(String imageId) throws CloudException {
        try {
            return retrier
                    .call(
                            "see " + imageId,
                            () -> ec2.describeImages(r -> r.imageIds(imageId)).images())
                    .stream()
                    .findFirst();
        } catch (CloudException e) {
            if (e.isNotFound()) {
                return Optional.empty();
            }
            throw e;
        }
    }

    /** Snapshots of an image's devices; none for images that live in S3. */
    static List<String> snapshots(Image image) {
        return image.blockDeviceMappings().stream()
                .map(BlockDeviceMapping::ebs)
                .filter(Objects::nonNull)
                .map(EbsBlockDevice::snapshotId)
                .filter(Objects::nonNull)
                .toList();
    }

    static List<Tag> tags(Map<String, String> tags) {
        List<Tag> list = new ArrayList<>();
        tags.forEach(
                (key, value) -> list.add(Tag.builder().key(key).value(value).build()));
        return list;
    }

    /** Registers, and knows its own image again when the answer to an earlier attempt was lost. */
    String register(RegisterImageRequest request) throws CloudException {
        try {
            return retrier.callFresh("register the image " + request.name(), () -> ec2.registerImage(request))
                    .imageId();
        } catch (CloudException e) {
            if (!"InvalidAMIName.Duplicate".equals(e.code())) {
                throw e;
            }
            Optional<Image> there = named(request.name());
            if (there.isPresent() && isOf(request, there.get())) {
                return there.get().imageId();
            }
            throw new CloudException(Reason.NAME, "The image name \"" + request.name() + "\" is taken.", e);
        }
    }

    private static boolean isOf(RegisterImageRequest request, Image image) {
        if (request.imageLocation() != null) {
            return request.imageLocation().equals(image.imageLocation());
        }
        return snapshots(image)
                .contains(request.blockDeviceMappings().get(0).ebs().snapshotId());
    }

    void awaitAvailable(String imageId) throws CloudException {
        Polling polling = new Polling(retrier);
        do {
            Image image =
                    retrier
                            .callFresh(
                                    "see " + imageId,
                                    () -> ec2.describeImages(r -> r.imageIds(imageId))
                                            .images())
                            .stream()
                            .findFirst()
                            .orElse(null);
            if (image != null && image.state() == ImageState.AVAILABLE) {
                return;
            }
            if (image != null && image.state() != ImageState.PENDING && image.state() != ImageState.TRANSIENT) {
                String why = image.stateReason() == null
                        ? image.stateAsString()
                        : image.stateReason().message();
                throw new CloudException(
                        Reason.SERVICE, "Image " + imageId + " did not become available: " + why + ".");
            }
        } while (polling.again());
        throw new CloudException(Reason.DEADLINE, "Image " + imageId + " was not available in time.");
    }

    /** Deregisters; one that is gone already is fine. */
    void deregister(String imageId) throws CloudException {
        try {
            retrier.call("deregister " + imageId, () -> ec2.deregisterImage(r -> r.imageId(imageId)));
        } catch (CloudException e) {
            if (!e.isNotFound() && !"InvalidAMIID.Unavailable".equals(e.code())) {
                throw e;
            }
        }
    }

    void share(String imageId, AmiSpec.Access access) throws CloudException {
        if (access.isPrivate()) {
            return;
        }
        List<LaunchPermission> add = new ArrayList<>();
        access.accounts()
                .forEach(account ->
                        add.add(LaunchPermission.builder().userId(account).build()));
        access.organizations()
                .forEach(arn ->
                        add.add(LaunchPermission.builder().organizationArn(arn).build()));
        retrier.callFresh(
                "share " + imageId,
                () -> ec2.modifyImageAttribute(r -> r.imageId(imageId).launchPermission(p -> p.add(add))));
    }

    void deprecate(String imageId, Instant at) throws CloudException {
        retrier.callFresh(
                "set the deprecation date of " + imageId,
                () -> ec2.enableImageDeprecation(r -> r.imageId(imageId).deprecateAt(at)));
    }
}
