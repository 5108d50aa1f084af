// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The ways to boot an image that one suite covers. */
enum Platform {

    /** The kernel loaded by Xen's own builder, from the configuration the plugin writes. */
    XEN_PV("xen"),

    /** GRUB reads menu.lst and the kernel from the image, as on EC2. */
    XEN_PVGRUB("xen", "--pvgrub", "--root-name", "xvda1"),

    /** Native paging under Xen, with Xen's devices. */
    XEN_PVH("xen", "--pvh"),

    /** A PC with PCI and ACPI, as {@code unikernel:run} uses it. */
    QEMU("qemu"),

    /** Memory-mapped devices and no ACPI, as in Firecracker. */
    MICROVM("qemu", "--machine", "microvm"),

    /** The same image under Linux, as a Xen PV guest. */
    LINUX("xen", "--extra", "console=hvc0 quiet mitigations=off peer=image") {
        @Override
        List<String> options(Path image) throws IOException {
            return underLinux(super.options(image), image);
        }

        /** Linux has uses of its own for its sysrq keys. */
        @Override
        String threadDumpCommand() {
            return "console SIGQUIT";
        }
    },

    /** The same image under Linux in QEMU. */
    LINUX_QEMU("qemu", "--extra", "console=ttyS0 quiet mitigations=off peer=image") {
        @Override
        List<String> options(Path image) throws IOException {
            return underLinux(super.options(image), image);
        }
    };

    private final String program;
    private final List<String> options;

    Platform(String program, String... options) {
        this.program = program;
        this.options = List.of(options);
    }

    /** The program of the lab. */
    String program() {
        return program;
    }

    /**
     * The program's options for an image.
     *
     * @param image path of its files without their extensions
     */
    List<String> options(Path image) throws IOException {
        List<String> all = new ArrayList<>(options);
        all.addAll(List.of("--config", file(image, ".xl.cfg").toString()));
        return all;
    }

    /** What makes the lab send SIGQUIT to the JVM. */
    String threadDumpCommand() {
        return "sysrq q";
    }

    private static List<String> underLinux(List<String> options, Path image) throws IOException {
        Path linux = Path.of(output(System.getProperty("lab.directory") + "/linux"));
        List<String> all = new ArrayList<>(options);
        all.addAll(List.of(
                "--kernel",
                linux.resolve("linux").toString(),
                "--ramdisk",
                linux.resolve("initramfs").toString(),
                "--memory",
                "512"));
        return all;
    }

    private static Path file(Path image, String extension) {
        Path file = image.resolveSibling(image.getFileName() + extension);
        if (!Files.exists(file)) {
            throw new AssertionError(file + " is missing; run: ./mvnw package");
        }
        return file;
    }

    private static String output(String command) throws IOException {
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }
}
