// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.AmiDeployer;
import io.github.javaunikernel.maven.aws.AmiName;
import io.github.javaunikernel.maven.aws.AmiResult;
import io.github.javaunikernel.maven.aws.AmiSpec;
import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.CloudSetting;
import io.github.javaunikernel.maven.aws.DuplicateName;
import io.github.javaunikernel.maven.aws.Form;
import io.github.javaunikernel.maven.aws.UploadSettings;
import io.github.javaunikernel.maven.aws.Virtualization;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Turns the image into a machine image (AMI) on EC2, in one or several regions. Uploads the blocks that are not in the
 * project's previous snapshot to a new one, and registers that for HVM machines, for paravirtual ones, or for both. It
 * takes the image that the same execution, or the one with the same {@code classifier}, has made.
 *
 * @since 0.1.0
 */
@Mojo(name = "ami", defaultPhase = LifecyclePhase.DEPLOY, requiresOnline = true, threadSafe = true)
public class AmiMojo extends AbstractCloudImageMojo {
    /** Of EC2 and EBS. */
    private static final int MAX_DESCRIPTION = 255;
    /** Of EC2, in days: ten years. */
    private static final int MAX_DEPRECATION = 3650;

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

    /**
     * Skips the deployment.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.skip", defaultValue = "false")
    private boolean skipAmi;

    /**
     * Kinds of AMI to make of the one snapshot: {@code hvm}, which all current instance types run, {@code paravirtual},
     * which only types of the previous generation run, or both with a comma between them.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.virtualization", defaultValue = Virtualization.DEFAULT)
    private List<String> virtualization;

    /**
     * Regions to deploy to, in parallel, such as {@code eu-west-1,us-east-1}. The default is the region in the AWS
     * configuration.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.regions")
    private List<String> regions;

    /**
     * Name of the AMI. It may contain the placeholders <code>{groupId}</code>, <code>{artifactId}</code>, <code>
     * {version}</code>, <code>{classifier}</code>, <code>{virtualization}</code>, <code>{commit}</code> (the git
     * commit, 12 digits) and <code>{time}</code> (UTC, yyyyMMdd-HHmmss). <code>{classifier}</code> and <code>
     * {virtualization}</code> bring a hyphen with them; the former is empty without a classifier, and the latter if
     * only one kind is made.
     *
     * @since 0.1.0
     */
    @Parameter(
            property = "unikernel.ami.name",
            defaultValue = "{artifactId}-{version}{classifier}-{time}{virtualization}")
    private String name;

    /**
     * What to do if the account already has an image of that name: {@code FAIL}, {@code REUSE} the image or
     * {@code REPLACE} it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.duplicateName", defaultValue = "FAIL")
    private String duplicateName;

    /**
     * Description of the AMI and the snapshot, at most 255 characters.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.description", defaultValue = "${project.name} ${project.version}")
    private String description;

    /**
     * Tags of the AMI and the snapshot, in addition to the plugin's own, such as {@code <team>blue</team>}.
     *
     * @since 0.1.0
     */
    @Parameter
    private Map<String, String> tags;

    /**
     * Id of the boot loader of a paravirtual AMI, a PV-GRUB {@code hd0} kernel image (AKI), such as
     * {@code aki-919dcaf8}. The default is the newest one in the region.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.kernelId")
    private String kernelId;

    /**
     * EBS volume type of the root device, such as {@code gp3}. The default is {@code gp3} for an HVM AMI and
     * {@code gp2} for a paravirtual one.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.volumeType")
    private String volumeType;

    /**
     * ARN of the KMS key that encrypts the snapshot, such as {@code arn:aws:kms:eu-west-1:123456789012:key/KEY}. By
     * default the account's settings decide about encryption.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.kmsKey")
    private String kmsKey;

    /**
     * Ids of other accounts that may launch the AMI, 12 digits each, such as {@code 123456789012}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.shareAccounts")
    private List<String> shareAccounts;

    /**
     * ARNs of organisations that may launch the AMI, such as
     * {@code arn:aws:organizations::123456789012:organization/o-abcdefghij}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.shareOrganizations")
    private List<String> shareOrganizations;

    /**
     * Number of days after which EC2 marks the AMI as deprecated; 0 for never.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.deprecateAfterDays", defaultValue = "0")
    private int deprecateAfterDays;

    /**
     * Number of blocks to upload at the same time, per region, 1 to 256.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.workers", defaultValue = "16")
    private int workers;

    /**
     * Maximum total time for the deployment to one region, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.timeout", defaultValue = "3600")
    private int timeout;

    /**
     * Whether to continue an unfinished upload of an earlier run, and to keep the upload if this run does not finish
     * it. Otherwise both are deleted.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.resume", defaultValue = "false")
    private boolean resume;

    /**
     * Whether to send only the blocks that differ from the project's previous snapshot. This requires that the contents
     * of that snapshot are recorded on this machine.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.incremental", defaultValue = "true")
    private boolean incremental;

    /**
     * Whether to only print what would be done and check with EC2 that it is allowed, without changing anything.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.dryRun", defaultValue = "false")
    private boolean dryRun;

    /**
     * Directory for records that must survive {@code mvn clean}: unfinished uploads and the contents of earlier
     * snapshots.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.stateDirectory", defaultValue = "${user.home}/.cache/unikernel/ami")
    private File stateDirectory;

    @Override
    void work() throws CloudException, SettingException, IOException {
        if (skipAmi) {
            getLog().info("Skipped, since unikernel.ami.skip is set");
            return;
        }
        AmiSpec spec = spec();
        List<String> where = regions(regions, CloudSetting.REGIONS);
        connected(where.get(0), (access, account) -> {
            AmiDeployer deployer = new AmiDeployer(
                    access, spec, log, new UploadMeter(log, session.getRequest().isInteractiveMode()));
            AmiDeployer.Outcome outcome = dryRun ? deployer.plan(where) : deployer.deploy(where);
            if (!dryRun) {
                report(outcome.results());
            }
            failOn(outcome);
        });
    }

    private AmiSpec spec() throws CloudException, SettingException, IOException {
        if (workers < 1 || workers > 256) {
            throw new CloudException(
                    CloudSetting.WORKERS, "Blocks cannot be sent by " + workers + " workers.", "Give 1 to 256.");
        }
        if (deprecateAfterDays < 0 || deprecateAfterDays > MAX_DEPRECATION) {
            throw new CloudException(
                    CloudSetting.DEPRECATE_AFTER,
                    "An AMI cannot be deprecated " + deprecateAfterDays + " days from now.",
                    "Give 1 to " + MAX_DEPRECATION + ", or 0 for never.");
        }
        if (description.length() > MAX_DESCRIPTION) {
            throw new CloudException(
                    CloudSetting.DESCRIPTION,
                    "The description has " + description.length() + " characters.",
                    "Give at most " + MAX_DESCRIPTION + ".");
        }
        Instant now = Instant.now();
        Optional<Instant> deprecateAt = deprecateAfterDays == 0
                ? Optional.empty()
                : Optional.of(now.plus(deprecateAfterDays, ChronoUnit.DAYS).truncatedTo(ChronoUnit.MINUTES));
        UploadSettings upload = new UploadSettings(
                workers,
                limit(CloudSetting.DEPLOY_TIMEOUT, timeout),
                resume,
                incremental,
                Form.KMS_KEY.checkedIfGiven(CloudSetting.KMS_KEY, kmsKey));
        AmiSpec.Access shared = new AmiSpec.Access(
                Form.ACCOUNT.allChecked(CloudSetting.SHARE_ACCOUNTS, orEmpty(shareAccounts)),
                Form.ORGANIZATION.allChecked(CloudSetting.SHARE_ORGANIZATIONS, orEmpty(shareOrganizations)));
        Map<Virtualization, String> names = names(now);
        Deployable image = deployable();
        return new AmiSpec(
                image.file(),
                image.size(),
                deployedProject(),
                names,
                description,
                checkedTags(tags),
                DuplicateName.parse(duplicateName),
                Form.BOOT_LOADER.checkedIfGiven(CloudSetting.KERNEL_ID, kernelId),
                Form.VOLUME_TYPE.checkedIfGiven(CloudSetting.VOLUME_TYPE, volumeType),
                shared,
                deprecateAt,
                upload,
                stateDirectory.toPath());
    }

    private Map<Virtualization, String> names(Instant now) throws CloudException {
        List<Virtualization> kinds = Virtualization.parse(orEmpty(virtualization));
        Map<Virtualization, String> names = new LinkedHashMap<>();
        for (Virtualization kind : kinds) {
            Map<String, Supplier<String>> values = new HashMap<>(placeholders());
            values.put("virtualization", () -> kinds.size() == 1 ? "" : "-" + kind.id());
            values.put("commit", () -> GitCommit.of(project.getBasedir().toPath()));
            values.put("time", () -> TIME.format(now));
            names.put(kind, AmiName.expand(CloudSetting.NAME, name, values));
        }
        if (Set.copyOf(names.values()).size() < kinds.size()) {
            throw new CloudException(
                    CloudSetting.NAME,
                    "Both kinds of AMI would have the name \"" + names.get(kinds.get(0)) + "\".",
                    "Add {virtualization} to the name.");
        }
        return names;
    }

    /** Reports the results in the log, as properties for later goals, and in a file for other programs. */
    private void report(List<AmiResult> results) throws CloudException {
        Properties properties = project.getProperties();
        for (AmiResult result : results) {
            getLog().info(result.region() + ": " + result.imageId() + " (" + result.virtualization() + ", "
                    + result.status() + "), "
                    + result.blocksSent() + " blocks sent, " + result.blocksSkipped() + " there already, "
                    + result.totalMillis() + " ms.");
            properties.setProperty(
                    "unikernel.ami.id." + result.region() + "." + result.virtualization(), result.imageId());
        }
        if (results.isEmpty()) {
            return;
        }
        for (int i = results.size() - 1; i >= 0; i--) {
            properties.setProperty(
                    "unikernel.ami.id." + results.get(i).region(),
                    results.get(i).imageId());
            properties.setProperty("unikernel.ami.id", results.get(i).imageId());
        }
        CloudFiles.writeReport(CloudFiles.amiReport(imageFile()), results);
    }

    private static void failOn(AmiDeployer.Outcome outcome) throws CloudException {
        if (!outcome.failures().isEmpty()) {
            throw CloudException.inRegions(outcome.failures());
        }
    }
}
