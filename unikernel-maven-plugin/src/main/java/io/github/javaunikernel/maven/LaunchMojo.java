// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import com.google.gson.Gson;
import com.google.gson.JsonSyntaxException;
import io.github.javaunikernel.maven.aws.AmiResult;
import io.github.javaunikernel.maven.aws.LaunchRecord;
import io.github.javaunikernel.maven.aws.LaunchSpec;
import io.github.javaunikernel.maven.aws.Launcher;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;

/**
 * Starts one instance of the last deployed AMI, without a key pair, waits until its program answers, and prints its
 * URL. If it does not answer, the goal prints the console of the instance and deletes what it created.
 *
 * @since 0.1.0
 */
@Mojo(name = "launch", requiresOnline = true, threadSafe = true)
public class LaunchMojo extends AbstractInstanceMojo {
    /**
     * Id of the AMI. The default is the AMI that the last deployment registered in the region.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.imageId")
    private String imageId;

    /**
     * Instance type, which must run paravirtual images. The default is the smallest such type in the region.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.instanceType")
    private String instanceType;

    /**
     * TCP ports to open. The first one is part of the URL.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ports", defaultValue = "8080")
    private List<Integer> ports;

    /**
     * Addresses that may connect to these ports, in CIDR notation.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.cidr", defaultValue = "0.0.0.0/0")
    private String cidr;

    /**
     * Ids of security groups to use instead of creating one.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.securityGroups")
    private List<String> securityGroups;

    /**
     * Id of the subnet in which to start the instance. The default is a subnet of the default network.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.subnet")
    private String subnet;

    /**
     * File with user data, at most 16 KiB, for the guest to read at boot.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.userData")
    private File userData;

    /**
     * Path that must answer with status 2xx before the launch is complete. With <code>none</code>, the goal only waits
     * until the instance is running.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.healthPath", defaultValue = "/health")
    private String healthPath;

    /**
     * Maximum time until the instance must run and answer, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.timeout", defaultValue = "300")
    private int timeout;

    /**
     * Whether to keep an instance that did not answer, so that you can examine it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.launch.keepOnFailure", defaultValue = "false")
    private boolean keepOnFailure;

    @Override
    protected void run() throws MojoExecutionException {
        if (Files.exists(recordFile())) {
            throw new MojoExecutionException("An instance was launched from here before, see " + recordFile() + ": end it with unikernel:terminate first.");
        }
        List<AmiResult> deployed = deployed();
        String where = regionOr(imageId == null && !deployed.isEmpty() ? deployed.get(0).region() : null);
        LaunchSpec spec = new LaunchSpec(imageIn(where, deployed), project.getArtifactId(), Optional.ofNullable(instanceType),
                securityGroups == null ? List.of() : securityGroups, ports, cidr, Optional.ofNullable(subnet), userData(),
                Optional.of(healthPath).filter(path -> !path.equals("none")), Duration.ofSeconds(timeout), keepOnFailure);
        connected(where, (access, account) -> {
            LaunchRecord launched = new Launcher(access, where, spec, recordFile(), log).launch();
            getLog().info(launched.instanceId() + " is up at " + launched.url());
            project.getProperties().setProperty("unikernel.launch.instanceId", launched.instanceId());
            project.getProperties().setProperty("unikernel.launch.url", launched.url());
        });
    }

    private String imageIn(String where, List<AmiResult> deployed) throws MojoExecutionException {
        if (imageId != null) {
            return imageId;
        }
        return deployed.stream().filter(result -> result.region().equals(where)).map(AmiResult::imageId).findFirst()
                .orElseThrow(() -> new MojoExecutionException("No AMI was deployed to " + where
                        + " from here: run unikernel:ami first, or name one with -Dunikernel.launch.imageId."));
    }

    private List<AmiResult> deployed() throws MojoExecutionException {
        Path report = CloudFiles.amiReport(image.toPath());
        if (!Files.exists(report)) {
            return List.of();
        }
        try {
            return List.of(new Gson().fromJson(Files.readString(report, StandardCharsets.UTF_8), AmiResult[].class));
        } catch (IOException | JsonSyntaxException e) {
            throw new MojoExecutionException("Cannot read " + report + ": delete it and run unikernel:ami again.", e);
        }
    }

    private Optional<byte[]> userData() throws MojoExecutionException {
        if (userData == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readAllBytes(userData.toPath()));
        } catch (IOException e) {
            throw new MojoExecutionException("Cannot read the user data " + userData + ": correct -Dunikernel.launch.userData.", e);
        }
    }
}
