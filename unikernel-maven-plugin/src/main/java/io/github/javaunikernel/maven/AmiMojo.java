// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import com.google.gson.GsonBuilder;
import io.github.javaunikernel.maven.aws.AmiDeployer;
import io.github.javaunikernel.maven.aws.AmiName;
import io.github.javaunikernel.maven.aws.AmiResult;
import io.github.javaunikernel.maven.aws.AmiSpec;
import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.DuplicateName;
import io.github.javaunikernel.maven.aws.UploadSettings;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Turns the image into a machine image (AMI) on EC2, in one or several regions. Uploads the blocks that are not in the
 * project's previous snapshot to a new one, and registers that for paravirtual machines.
 *
 * @since 0.1.0
 */
@Mojo(name = "ami", defaultPhase = LifecyclePhase.DEPLOY, requiresOnline = true, threadSafe = true)
public class AmiMojo extends AbstractCloudMojo {
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC);

    /**
     * Skips the deployment.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.skip", defaultValue = "false")
    private boolean skipAmi;

    /**
     * The raw image to deploy.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.image", defaultValue = "${project.build.directory}/${project.build.finalName}.img")
    private File image;

    /**
     * Regions to deploy to, in parallel. The default is the region in the AWS configuration.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.regions")
    private List<String> regions;

    /**
     * Name of the AMI. It may contain the placeholders <code>{groupId}</code>, <code>{artifactId}</code>,
     * <code>{version}</code>, <code>{commit}</code> (the git commit, 12 digits) and <code>{time}</code> (UTC,
     * yyyyMMdd-HHmmss).
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.name", defaultValue = "{artifactId}-{version}-{time}")
    private String name;

    /**
     * What to do if the account already has an image of that name: <code>FAIL</code>, <code>REUSE</code> the image or
     * <code>REPLACE</code> it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.duplicateName", defaultValue = "FAIL")
    private DuplicateName duplicateName;

    /**
     * Description of the AMI and the snapshot, at most 255 characters.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.description", defaultValue = "${project.name} ${project.version}")
    private String description;

    /**
     * Tags of the AMI and the snapshot, in addition to the plugin's own.
     *
     * @since 0.1.0
     */
    @Parameter
    private Map<String, String> tags;

    /**
     * Id of the boot loader, a PV-GRUB <code>hd0</code> kernel image (AKI). The default is the newest one in the
     * region.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.kernelId")
    private String kernelId;

    /**
     * EBS volume type of the root device.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.volumeType", defaultValue = "gp2")
    private String volumeType;

    /**
     * ARN of the KMS key that encrypts the snapshot. By default the account's settings decide about encryption.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.kmsKey")
    private String kmsKey;

    /**
     * Ids (12 digits) of other accounts that may launch the AMI.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.shareAccounts")
    private List<String> shareAccounts;

    /**
     * ARNs of organisations that may launch the AMI.
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
     * Directory for records that must survive <code>mvn clean</code>: unfinished uploads and the contents of earlier
     * snapshots.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ami.stateDirectory", defaultValue = "${user.home}/.cache/unikernel/ami")
    private File stateDirectory;

    @Override
    protected void run() throws MojoExecutionException {
        if (skipAmi) {
            getLog().info("Skipped, since unikernel.ami.skip is set");
            return;
        }
        if (workers < 1 || workers > 256) {
            throw new MojoExecutionException("There cannot be " + workers + " workers: set -Dunikernel.ami.workers to 1 to 256.");
        }
        List<String> where = regions(regions, "unikernel.ami.regions");
        connected(where.get(0), (access, account) -> {
            AmiDeployer deployer = new AmiDeployer(access, spec(), log, new UploadMeter(log, session.getRequest().isInteractiveMode()));
            AmiDeployer.Outcome outcome = dryRun ? deployer.plan(where) : deployer.deploy(where);
            if (!dryRun) {
                report(outcome.results());
            }
            failOn(outcome);
        });
    }

    private AmiSpec spec() throws CloudException {
        Instant now = Instant.now();
        String expanded = AmiName.expand(name, Map.of(
                "groupId", project::getGroupId, "artifactId", project::getArtifactId, "version", project::getVersion,
                "commit", () -> GitCommit.of(project.getBasedir().toPath()), "time", () -> TIME.format(now)));
        Optional<Instant> deprecateAt = deprecateAfterDays == 0 ? Optional.empty()
                : Optional.of(now.plus(deprecateAfterDays, ChronoUnit.DAYS).truncatedTo(ChronoUnit.MINUTES));
        UploadSettings upload = new UploadSettings(workers, Duration.ofSeconds(timeout), resume, incremental, Optional.ofNullable(kmsKey));
        AmiSpec.Access shared = new AmiSpec.Access(orEmpty(shareAccounts), orEmpty(shareOrganizations));
        return new AmiSpec(image.toPath(), project.getGroupId() + ":" + project.getArtifactId(), expanded, description, tags == null ? Map.of() : tags,
                duplicateName, Optional.ofNullable(kernelId), volumeType, shared, deprecateAt, upload, stateDirectory.toPath());
    }

    private static List<String> orEmpty(List<String> list) {
        return list == null ? List.of() : list;
    }

    /** Reports the results in the log, as properties for later goals, and in a file for other programs. */
    private void report(List<AmiResult> results) throws MojoExecutionException {
        for (AmiResult result : results) {
            getLog().info(result.region() + ": " + result.imageId() + " (" + result.status() + "), " + result.blocksSent() + " blocks sent, "
                    + result.blocksSkipped() + " there already, " + result.totalMillis() + " ms.");
            project.getProperties().setProperty("unikernel.ami.id." + result.region(), result.imageId());
        }
        if (results.isEmpty()) {
            return;
        }
        project.getProperties().setProperty("unikernel.ami.id", results.get(0).imageId());
        Path file = CloudFiles.amiReport(image.toPath());
        try {
            String json = new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(results);
            Files.writeString(file, json + "\n", StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new MojoExecutionException("The images are registered, but " + file + " cannot be written: " + e.getMessage()
                    + ". Make the directory writable.", e);
        }
    }

    private static void failOn(AmiDeployer.Outcome outcome) throws MojoExecutionException {
        if (outcome.failures().isEmpty()) {
            return;
        }
        StringBuilder text = new StringBuilder();
        outcome.failures().forEach((region, failure) -> text.append(text.isEmpty() ? "" : "\n").append(region).append(": ").append(explain(failure).getMessage()));
        throw new MojoExecutionException(text.toString(), outcome.failures().values().iterator().next());
    }
}
