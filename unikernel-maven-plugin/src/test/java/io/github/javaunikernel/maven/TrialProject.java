// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.assembly.Jars;
import io.github.javaunikernel.maven.image.Ext2Writer;
import io.github.javaunikernel.maven.image.FileContent;
import io.github.javaunikernel.maven.image.ImageTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;

/** The files of a project for {@link GoalTrial}: an image, and what goals need beside it. */
final class TrialProject {

    static final String NAME = "shop-1.0";

    private final Path place;
    private final Path target;

    TrialProject(Path place) throws IOException {
        this.place = place;
        target = Files.createDirectories(place.resolve("target"));
        Files.writeString(place.resolve("pom.xml"), "<project/>");
        Files.createDirectory(place.resolve("directory"));
        Files.createFile(place.resolve("file"));
        makeImage();
        makeQemu();
    }

    Path target() {
        return target;
    }

    /** What the goal image makes one of: a jar, a program that needs neither a JVM nor libraries, and keys for JMX. */
    Path makeSources() throws IOException, InterruptedException {
        Path source = place.resolve("program.c");
        Files.writeString(source, "void _start(void) { for (;;); }\n");
        run("gcc", "-static", "-nostdlib", "-o", place.resolve("program").toString(), source.toString());
        run(
                Path.of(System.getProperty("java.home"), "bin/keytool").toString(),
                "-genkeypair",
                "-keyalg",
                "RSA",
                "-dname",
                "CN=test",
                "-storepass",
                "changeit",
                "-keystore",
                place.resolve("jmx.p12").toString());
        Files.writeString(place.resolve("jmx.properties"), """
                javax.net.ssl.keyStore=/etc/unikernel.jmx.keystore
                javax.net.ssl.keyStorePassword=changeit
                """);
        Files.writeString(place.resolve("jmx.password"), "monitorRole secret\n");
        Path jar = Jars.jar(place, "main", "Main", "Main", """
                public class Main {
                    public static void main(String[] arguments) {}
                }
                """);
        return Files.move(jar, target.resolve(NAME + ".jar"));
    }

    /** What the goal image leaves behind, with next to nothing to upload. */
    private void makeImage() throws IOException {
        ImageTree tree = new ImageTree();
        tree.file("/etc/unikernel.conf", FileContent.of("exec /app/program\n"), 0644, "generated");
        Path image = target.resolve(NAME + ".img");
        new Ext2Writer("unikernel", Instant.parse("2026-01-01T00:00:00Z")).write(tree, image);
        // A boot sector, as far as goals look at one.
        byte[] bytes = Files.readAllBytes(image);
        bytes[510] = 0x55;
        bytes[511] = (byte) 0xAA;
        Files.write(image, bytes);
        Files.copy(image, place.resolve("older.img"), StandardCopyOption.REPLACE_EXISTING);
        Files.writeString(target.resolve(NAME + ".kernel"), "");
        Files.writeString(target.resolve(NAME + ".xl.cfg"), "");
        Files.writeString(target.resolve(NAME + ".unikernel.json"), """
                {"name": "shop", "created": "2026-01-01T00:00:00Z",
                "image": {"file": "shop-1.0.img", "size": %d, "uuid": "01234567-89ab-8def-8123-456789abcdef"},
                "kernel": {"version": "1", "options": ""},
                "machine": {"memory": 256, "vcpus": 1, "network": "dhcp", "hostname": "shop"},
                "jdk": {"version": "17.0.15", "vendor": "Debian", "modulesInUse": [], "modules": [],
                "moduleReasons": {}, "moduleBytes": {}},
                "application": {"mainClass": "org.example.Main", "classPath": ["maven:org.example:shop:jar:1.0"],
                "debugPort": 0, "trainingConfig": "/etc/unikernel.training.conf"},
                "parts": {"fileSystem": 1024, "free": 0},
                "files": [{"path": "/etc/unikernel.conf", "type": "file", "mode": "0644", "size": 18,
                "origin": "generated", "sha256": "00"}]}
                """.formatted(bytes.length));
    }

    /** It has a version, and says that there is no guest. */
    private void makeQemu() throws IOException {
        Path qemu = place.resolve("qemu");
        Files.writeString(qemu, """
                #!/bin/sh
                case "$*" in
                --version) echo 'QEMU emulator version 9.2.0' ;;
                '-machine help') echo q35 ;;
                *) echo 'no guest' >&2; exit 1 ;;
                esac
                """);
        Files.setPosixFilePermissions(qemu, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** Makes a key of RSA and a certificate of it. */
    static void makeKey(Path place, String certificate, String key) throws IOException, InterruptedException {
        run(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-subj",
                "/CN=test",
                "-keyout",
                place.resolve(key).toString(),
                "-out",
                place.resolve(certificate).toString());
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes());
        if (process.waitFor() != 0) {
            throw new IllegalStateException(text);
        }
    }
}
