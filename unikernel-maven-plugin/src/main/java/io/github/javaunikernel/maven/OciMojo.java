// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.oci.ContainerDisk;
import io.github.javaunikernel.maven.oci.Login;
import io.github.javaunikernel.maven.oci.RegistryAccess;
import io.github.javaunikernel.maven.oci.VirtualMachine;
import io.github.javaunikernel.maven.run.BuiltImage;
import io.github.javaunikernel.maven.run.PortForward;
import io.github.javaunikernel.maven.runtime.DirectoryTree;
import io.github.javaunikernel.maven.settings.SettingException;
import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.plugins.annotations.Component;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.settings.Server;
import org.apache.maven.settings.crypto.DefaultSettingsDecryptionRequest;
import org.apache.maven.settings.crypto.SettingsDecrypter;
import org.eclipse.aether.RepositorySystem;

/**
 * Packs the image for Kubernetes with KubeVirt, without Docker: as a containerDisk, an OCI image, which it pushes to a
 * registry or writes to {@code NAME.oci.tar}, and with {@code NAME.vm.yaml}, the manifest of a {@code VirtualMachine}
 * that boots from it. {@code kubectl apply -f} starts that machine.
 *
 * @since 0.1.0
 */
@Mojo(name = "oci", defaultPhase = LifecyclePhase.DEPLOY, threadSafe = true)
public final class OciMojo extends AbstractImageFilesMojo {

    @Parameter(defaultValue = "${session}", readonly = true, required = true)
    private MavenSession session;

    @Component
    private SettingsDecrypter decrypter;

    @Component
    private RepositorySystem repositories;

    /**
     * Skips the goal.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.oci.skip", defaultValue = "false")
    private boolean skipOci;

    /**
     * Name of the OCI image, such as {@code registry.example.com/team/app:1.0}. Without a registry, it is one of Docker
     * Hub; without a tag, the tag is {@code latest}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.oci.image", required = true)
    private String containerImage;

    /**
     * Whether to write the OCI image to {@code NAME.oci.tar}, in OCI's own layout, instead of pushing it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.oci.tarball", defaultValue = "false")
    private boolean tarball;

    /**
     * Id of the server in settings.xml, such as {@code registry.example.com}, whose username and password, which may be
     * encrypted, are those of the registry. The default is the registry's host as the image's name has it. Without such
     * a server, the credentials are those of Docker's configuration and of its credential helpers.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.oci.server")
    private String server;

    /**
     * User of the registry, such as {@code deployer}. It takes precedence over {@code server}, and needs
     * {@code password}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.oci.username")
    private String username;

    /**
     * Password of that user. Since it is seen in a list of processes, a server in settings.xml, such as
     * {@code registry.example.com}, is better.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.oci.password")
    private String password;

    /**
     * Whether the registry may use a certificate that Java does not trust, or HTTP.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.oci.allowInsecureRegistry", defaultValue = "false")
    private boolean allowInsecureRegistry;

    /**
     * Name of the secret with which the cluster gets the image from a registry that asks for credentials, such as
     * {@code registry-login}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.oci.imagePullSecret")
    private String imagePullSecret;

    /**
     * Number of machines. With it, the manifest is that of a {@code VirtualMachineInstanceReplicaSet}, which
     * {@code kubectl scale} and autoscalers change. By default there is one {@code VirtualMachine}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.oci.replicas")
    private Integer replicas;

    /**
     * TCP ports on which the program in the guest listens. Kubernetes asks the first one whether the program serves.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.ports", defaultValue = "8080")
    private List<Integer> ports;

    /**
     * Path on that port that answers with status 200 to 399 while the program serves. With {@code none}, a connection
     * is enough.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.healthPath", defaultValue = "/health")
    private String healthPath;

    /**
     * Time after which a machine that does not answer is replaced, in seconds from its start.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.start.timeout", defaultValue = "120")
    private int startTimeout;

    /**
     * Maximum time until the guest must have ended after it was told to, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.stop.timeout", defaultValue = "30")
    private int stopTimeout;

    /**
     * Time of the disk in the OCI image. Where neither this nor {@code project.build.outputTimestamp} is set, the
     * environment variable {@code SOURCE_DATE_EPOCH} counts.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.outputTimestamp", defaultValue = "${project.build.outputTimestamp}")
    private String outputTimestamp;

    @Override
    protected void run() throws SettingException, IOException, InterruptedException {
        if (skipOci) {
            getLog().info("Skipped, since unikernel.oci.skip is set");
            return;
        }
        BuiltImage image = BuiltImage.find(directory(), fileName());
        image.dataDiskNote().ifPresent(getLog()::warn);
        new LibrariesOnUse(repositories, session, project)
                .add(mojoExecution, Set.of("com.google.cloud.tools", "org.yaml"));
        ContainerDisk disk = ContainerDisk.of(image.image(), containerImage, OutputTime.parse(outputTimestamp));
        VirtualMachine.Hardware hardware = new VirtualMachine.Hardware(
                image.memory(), image.vcpus(), image.uefi(), image.network().isPresent(), image.scratchBytes());
        checkReplicas();
        checkSecret();
        VirtualMachine machine = new VirtualMachine(
                name(),
                Optional.ofNullable(imagePullSecret),
                hardware,
                hardware.networked() ? probe() : Optional.empty(),
                replicas == null ? OptionalInt.empty() : OptionalInt.of(replicas),
                (int) AbstractStartMojo.limit("stop.timeout", stopTimeout).toSeconds());
        String reference = packed(disk);
        Path manifest = directory().resolve(fileName() + ".vm.yaml");
        WholeFile.write(manifest, part -> Files.writeString(part, machine.yaml(reference)));
        getLog().info("Manifest for KubeVirt: " + manifest);
    }

    /** Makes the OCI image; returns how the manifest names it. */
    private String packed(ContainerDisk disk) throws SettingException, IOException, InterruptedException {
        Path scratch = Files.createTempDirectory(directory(), "oci-");
        try {
            if (tarball) {
                Path file = directory().resolve(fileName() + ".oci.tar");
                disk.write(file, scratch);
                getLog().info("OCI image: " + file);
                return disk.tagged();
            }
            checkOnline();
            String reference = disk.push(
                    new RegistryAccess(login(disk.registry()), allowInsecureRegistry, getLog()::debug), scratch);
            getLog().info("Pushed " + disk.tagged() + ", which is " + reference);
            return reference;
        } finally {
            DirectoryTree.delete(scratch);
        }
    }

    /** Kubernetes takes small letters only. */
    private String name() {
        String id = classifier() == null ? project.getArtifactId() : project.getArtifactId() + "-" + classifier();
        return DnsLabel.near(id).toLowerCase(Locale.ROOT);
    }

    private Optional<VirtualMachine.Probe> probe() throws SettingException {
        int seconds =
                (int) AbstractStartMojo.limit("start.timeout", startTimeout).toSeconds();
        List<PortForward> guest = PortForward.pair(ports, List.of(), true);
        if (guest.isEmpty()) {
            return Optional.empty();
        }
        Optional<String> path = AbstractStartMojo.healthUrl(healthPath, guest).map(url -> healthPath);
        return Optional.of(new VirtualMachine.Probe(guest.get(0).guest(), path, seconds));
    }

    private void checkReplicas() throws SettingException {
        if (replicas != null && replicas < 0) {
            throw new SettingException(
                    "oci.replicas",
                    replicas + " machines are not possible.",
                    "Give 0 or more, or leave it out for a single VirtualMachine.");
        }
    }

    /** The name of an object of Kubernetes is that of a DNS subdomain (RFC 1123). */
    private void checkSecret() throws SettingException {
        if (imagePullSecret != null && !imagePullSecret.matches("[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")) {
            throw new SettingException(
                    "oci.imagePullSecret",
                    "'" + imagePullSecret + "' cannot be the name of a secret of Kubernetes.",
                    "Use small letters, digits, '-' and '.', with a letter or digit at both ends.");
        }
    }

    private void checkOnline() throws SettingException {
        if (session.isOffline()) {
            throw new SettingException(
                    "oci.tarball",
                    "Maven is offline, so nothing is pushed.",
                    "Build without -o, or set the parameter to true.");
        }
    }

    private Optional<Login> login(String registry) throws SettingException {
        if ((username == null) != (password == null)) {
            throw new SettingException(
                    username == null ? "oci.username" : "oci.password",
                    "Of the user and the password for " + registry + ", only one is given.",
                    "Give both, or neither.");
        }
        if (username != null) {
            return Optional.of(new Login(username, password, "the parameters"));
        }
        Server found = session.getSettings().getServer(server == null ? registry : server);
        if (found == null && server != null) {
            throw new SettingException(
                    "oci.server",
                    "There is no server \"" + server + "\" in settings.xml.",
                    "Add it there, or correct the name.");
        }
        return found == null ? Optional.empty() : Optional.of(login(found));
    }

    private Login login(Server found) throws SettingException {
        Server clear =
                decrypter.decrypt(new DefaultSettingsDecryptionRequest(found)).getServer();
        if (clear.getUsername() == null || clear.getPassword() == null) {
            throw new SettingException(
                    "oci.server",
                    "Server \"" + found.getId() + "\" in settings.xml lacks a username or a password.",
                    "Add what is missing.");
        }
        return new Login(clear.getUsername(), clear.getPassword(), "server \"" + found.getId() + "\" of settings.xml");
    }
}
