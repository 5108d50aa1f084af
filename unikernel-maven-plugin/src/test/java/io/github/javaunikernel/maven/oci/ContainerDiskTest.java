// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names of images and what can fail. The invoker project "oci" pushes to a registry and boots what comes back. */
class ContainerDiskTest {

    private static final Instant TIME = Instant.parse("2026-01-01T00:00:00Z");

    @TempDir
    private Path directory;

    private ContainerDisk disk(String name) throws Exception {
        return ContainerDisk.of(Files.writeString(directory.resolve("a.img"), "a disk"), name, TIME);
    }

    @ParameterizedTest
    @CsvSource({
        "registry.example.com:5000/team/app:1.0, registry.example.com:5000, registry.example.com:5000/team/app:1.0",
        "localhost/app, localhost, localhost/app:latest",
        "team/app, registry-1.docker.io, team/app:latest"
    })
    void theNameSaysWhichRegistryAndTag(String name, String registry, String tagged) throws Exception {
        ContainerDisk disk = disk(name);
        assertEquals(registry, disk.registry());
        assertEquals(tagged, disk.tagged());
    }

    @ParameterizedTest
    @ValueSource(strings = {"Team/App", "a b", "app:", "registry.example.com/"})
    void whatIsNoNameIsRefused(String name) {
        SettingException refused = assertThrows(SettingException.class, () -> disk(name));
        assertEquals(
                "'" + name + "' cannot be the name of an OCI image. [parameter oci.image, -Dunikernel.oci.image]"
                        + " Give one such as registry.example.com/team/app:1.0, in small letters.",
                refused.getMessage());
    }

    @Test
    void aDigestIsNobodysChoice() {
        SettingException refused = assertThrows(SettingException.class, () -> disk("app@sha256:" + "0".repeat(64)));
        assertTrue(refused.getMessage().endsWith("Leave out the digest, which follows from the image."));
    }

    @Test
    void aRegistryThatIsNotThereIsNamed() throws Exception {
        String registry;
        try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            registry = "127.0.0.1:" + closed.getLocalPort();
        }
        RegistryAccess access = new RegistryAccess(Optional.of(new Login("it", "secret", "a test")), true, line -> {});
        SettingException failed = assertThrows(
                SettingException.class, () -> disk(registry + "/app").push(access, directory.resolve("scratch")));
        assertTrue(
                failed.getMessage().startsWith("The registry " + registry + " cannot be reached: "),
                failed.getMessage());
        assertTrue(
                failed.getMessage().endsWith("Correct the name of the image, or try again when the registry is up."),
                failed.getMessage());
    }

    @Test
    void theSameDiskGivesTheSameTar() throws Exception {
        Path one = directory.resolve("one.tar");
        Path other = directory.resolve("other.tar");
        disk("app:1").write(one, directory.resolve("scratch1"));
        disk("app:1").write(other, directory.resolve("scratch2"));
        assertEquals(-1, Files.mismatch(one, other));
    }

    @Test
    void aTarThatCannotBeWrittenIsNamed() throws Exception {
        Path other = Files.writeString(directory.resolve("b"), "");
        FileSystemException failed = assertThrows(
                FileSystemException.class,
                () -> disk("app:1").write(other.resolve("a.tar"), directory.resolve("scratch")));
        assertEquals(other.toString(), failed.getFile());
    }

    @Test
    void aPasswordIsNotInALog() {
        assertFalse(new Login("it", "secret", "a test").toString().contains("secret"));
    }
}
