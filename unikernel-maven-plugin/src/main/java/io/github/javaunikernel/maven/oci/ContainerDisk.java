// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.oci;

import com.google.cloud.tools.jib.api.CacheDirectoryCreationException;
import com.google.cloud.tools.jib.api.Containerizer;
import com.google.cloud.tools.jib.api.Credential;
import com.google.cloud.tools.jib.api.ImageReference;
import com.google.cloud.tools.jib.api.InvalidImageReferenceException;
import com.google.cloud.tools.jib.api.Jib;
import com.google.cloud.tools.jib.api.LogEvent;
import com.google.cloud.tools.jib.api.RegistryException;
import com.google.cloud.tools.jib.api.RegistryImage;
import com.google.cloud.tools.jib.api.TarImage;
import com.google.cloud.tools.jib.api.buildplan.AbsoluteUnixPath;
import com.google.cloud.tools.jib.api.buildplan.FileEntriesLayer;
import com.google.cloud.tools.jib.api.buildplan.FilePermissions;
import com.google.cloud.tools.jib.api.buildplan.ImageFormat;
import com.google.cloud.tools.jib.frontend.CredentialRetrieverFactory;
import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.ExecutionException;

/**
 * A disk as KubeVirt takes it from a registry, a containerDisk: an OCI image without a base image, whose only layer has
 * the disk in {@code /disk}, owned by the user that runs QEMU (KubeVirt's user guide, "Disks and Volumes",
 * containerDisk). The same disk, name and time give the same bytes with the same Java.
 */
public final class ContainerDisk {
    /** The specification of registries warns that many clients take no longer names, with the host. */
    private static final int MAX_NAME = 255;

    private static final String QEMU_USER = "107:107";
    private static final String TOOL = "unikernel-maven-plugin";

    private final Path disk;
    private final ImageReference name;
    private final Instant time;

    private ContainerDisk(Path disk, ImageReference name, Instant time) {
        this.disk = disk;
        this.name = name;
        this.time = time;
    }

    /**
     * Describes the image, which nothing is written of yet.
     *
     * @param disk a raw image
     * @param name such as {@code registry.example.com/team/app:1.0}
     * @param time of the disk in the layer, and of the OCI image
     */
    public static ContainerDisk of(Path disk, String name, Instant time) throws SettingException {
        try {
            ImageReference parsed = ImageReference.parse(name);
            if (name.length() > MAX_NAME) {
                throw invalid(name, "Give at most " + MAX_NAME + " characters.", null);
            }
            if (parsed.getDigest().isPresent()) {
                throw invalid(name, "Leave out the digest, which follows from the image.", null);
            }
            return new ContainerDisk(disk, parsed, time);
        } catch (InvalidImageReferenceException e) {
            throw invalid(name, "Give one such as registry.example.com/team/app:1.0, in small letters.", e);
        }
    }

    private static SettingException invalid(String name, String fix, Exception cause) {
        return new SettingException("oci.image", "'" + name + "' cannot be the name of an OCI image.", fix, cause);
    }

    /** Host of the registry, with its port if the name has one. */
    public String registry() {
        return name.getRegistry();
    }

    /** The name with its tag. */
    public String tagged() {
        return name.toStringWithQualifier();
    }

    /**
     * Sends the image to its registry, but for what that has already.
     *
     * @param scratch a directory for the compressed layer
     * @return the name with the digest in place of the tag: what can only ever mean this image
     */
    public String push(RegistryAccess access, Path scratch) throws SettingException, IOException, InterruptedException {
        RegistryImage target = RegistryImage.named(name);
        CredentialRetrieverFactory factory =
                CredentialRetrieverFactory.forImage(name, event -> access.log().accept(event.getMessage()));
        access.login()
                .ifPresentOrElse(
                        login -> target.addCredentialRetriever(
                                factory.known(Credential.from(login.username(), login.password()), login.origin())),
                        () -> {
                            target.addCredentialRetriever(factory.dockerConfig());
                            target.addCredentialRetriever(factory.wellKnownCredentialHelpers());
                            target.addCredentialRetriever(factory.googleApplicationDefaultCredentials());
                        });
        Containerizer containerizer = Containerizer.to(target)
                .setAllowInsecureRegistries(access.insecure())
                .addEventHandler(LogEvent.class, event -> access.log().accept(event.getMessage()));
        try {
            return name.getRegistry() + "/" + name.getRepository() + "@" + build(containerizer, scratch);
        } catch (RegistryException | IOException e) {
            throw new RegistryTrouble(name.getRegistry(), access).of(e);
        }
    }

    /**
     * Writes the image to a file in the layout that OCI specifies, in a tar.
     *
     * @param scratch a directory for the compressed layer
     */
    public void write(Path file, Path scratch) throws IOException, InterruptedException {
        try {
            build(Containerizer.to(TarImage.at(file).named(name)).setOfflineMode(true), scratch);
        } catch (RegistryException e) {
            throw new IllegalStateException("a registry for a file", e);
        }
    }

    /** The digest of the manifest, with the name of its algorithm. */
    private String build(Containerizer to, Path scratch) throws RegistryException, IOException, InterruptedException {
        FileEntriesLayer layer = FileEntriesLayer.builder()
                .setName("disk")
                .addEntry(
                        disk,
                        AbsoluteUnixPath.get("/disk").resolve(disk.getFileName()),
                        FilePermissions.fromOctalString("440"),
                        time,
                        QEMU_USER)
                .build();
        to.setToolName(TOOL).setBaseImageLayersCache(scratch).setApplicationLayersCache(scratch);
        try {
            return Jib.fromScratch()
                    .setFormat(ImageFormat.OCI)
                    .setCreationTime(time)
                    .addFileEntriesLayer(layer)
                    .containerize(to)
                    .getDigest()
                    .toString();
        } catch (CacheDirectoryCreationException e) {
            throw new ExplainedException(
                    "There is no directory for the compressed disk in " + scratch + ". Make the directory writable.",
                    e);
        } catch (ExecutionException e) {
            throw ofWork(e);
        }
    }

    /** Jib works in threads, some of which wait for others, and gives what happened in one of them as the cause. */
    private static IOException ofWork(ExecutionException failure) throws RegistryException {
        Throwable cause = failure;
        while (cause instanceof ExecutionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof RegistryException ofRegistry) {
            throw ofRegistry;
        }
        if (cause instanceof IOException refused) {
            return refused;
        }
        throw new IllegalStateException(cause);
    }
}
