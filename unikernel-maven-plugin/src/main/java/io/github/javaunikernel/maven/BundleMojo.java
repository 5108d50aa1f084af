// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.AmiName;
import io.github.javaunikernel.maven.aws.Bundle;
import io.github.javaunikernel.maven.aws.BundleKeys;
import io.github.javaunikernel.maven.aws.BundleUploader;
import io.github.javaunikernel.maven.aws.BundleWriter;
import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.CloudSetting;
import io.github.javaunikernel.maven.aws.Form;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Turns the image into an S3-backed AMI, a legacy format. Encrypts the image, splits it into parts with a signed
 * manifest, uploads them to a bucket that allows ACLs, and registers the AMI from there. {@code unikernel:ami} is
 * simpler and faster.
 *
 * @since 0.1.0
 */
@Mojo(name = "bundle", requiresOnline = true, threadSafe = true)
public class BundleMojo extends AbstractCloudImageMojo {
    /** S3's keys have at most 1024 bytes, and the names of parts follow the folder's. */
    private static final int MAX_FOLDER = 500;

    /**
     * Region of the AMI and the bucket, such as {@code us-east-1}. The default is the region in the AWS configuration.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.bundle.region")
    private String region;

    /**
     * Bucket for the parts, such as {@code my-images}. It must be in the region and have ACLs enabled.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.bundle.bucket", required = true)
    private String bucket;

    /**
     * Folder in the bucket, without a slash at the end.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.bundle.folder", defaultValue = "${project.artifactId}/${project.version}")
    private String folder;

    /**
     * EC2's X.509 certificate for the region's partition, in PEM format, such as {@code cert-ec2.pem} of the AMI tools.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.bundle.ec2Certificate", required = true)
    private File ec2Certificate;

    /**
     * Your X.509 certificate in PEM format, such as {@code cert.pem}. AWS does not need to know it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.bundle.certificate", required = true)
    private File certificate;

    /**
     * The RSA key of your certificate in PEM format (PKCS#8, not encrypted), such as {@code key.pem}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.bundle.privateKey", required = true)
    private File privateKey;

    /**
     * Id of the boot loader, a PV-GRUB {@code hd0} kernel image (AKI), such as {@code aki-919dcaf8}. The default is the
     * newest one in the region.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.kernelId")
    private String kernelId;

    /**
     * Name of the AMI. It may contain the placeholders <code>{groupId}</code>, <code>{artifactId}</code>, <code>
     * {version}</code> and <code>{classifier}</code>, which brings a hyphen with it and may be empty.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.bundle.name", defaultValue = "{artifactId}-{version}{classifier}-s3")
    private String name;

    /**
     * Maximum time for upload and registration, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.timeout", defaultValue = "3600")
    private int timeout;

    @Override
    Set<String> libraries() {
        return Set.of(SDK, "org.apache.commons");
    }

    @Override
    void work() throws CloudException, SettingException, IOException {
        Path image = deployable().file();
        Duration limit = limit(CloudSetting.DEPLOY_TIMEOUT, timeout);
        Form.BUCKET.checked(CloudSetting.BUCKET, bucket);
        Form.BOOT_LOADER.checkedIfGiven(CloudSetting.KERNEL_ID, kernelId);
        if (folder.startsWith("/") || folder.endsWith("/")) {
            throw new CloudException(
                    CloudSetting.FOLDER, "\"" + folder + "\" begins or ends with a slash.", "Leave that slash out.");
        }
        if (folder.length() > MAX_FOLDER) {
            throw new CloudException(
                    CloudSetting.FOLDER,
                    "The folder's name has " + folder.length() + " characters.",
                    "Give at most " + MAX_FOLDER + ".");
        }
        String where = regions(region == null ? List.of() : List.of(region), CloudSetting.BUNDLE_REGION)
                .get(0);
        String amiName = AmiName.expand(CloudSetting.BUNDLE_NAME, name, placeholders());
        BundleKeys keys = BundleKeys.read(ec2Certificate.toPath(), certificate.toPath(), privateKey.toPath());
        connected(where, (access, account) -> {
            BundleUploader uploader = new BundleUploader(access, where, limit, log);
            uploader.requireFree(amiName);
            String loader = kernelId == null ? uploader.findBootLoader() : kernelId;
            Bundle.Spec spec = Bundle.Spec.of(CloudFiles.baseName(image), account, loader, keys);
            Bundle bundle = BundleWriter.write(image, image.resolveSibling("bundle"), spec);
            getLog().info("Bundled " + image + " in " + bundle.parts().size() + " parts.");
            String imageId = uploader.upload(bundle, bucket, folder, amiName, deployedProject());
            getLog().info(where + ": registered " + imageId + ".");
            project.getProperties().setProperty("unikernel.ami.id", imageId);
        });
    }
}
