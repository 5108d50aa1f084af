package io.github.javaunikernel.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The ways to boot an image that one suite covers. */
enum Platform {

    /** The kernel loaded by Xen's own builder, from the configuration the plugin writes. */
    XEN_PV {
        @Override
        List<String> options(String image) {
            return List.of("--config", file(image, ".xl.cfg").toString());
        }
    },

    /** GRUB reads menu.lst and the kernel from the image, as on EC2. */
    XEN_PVGRUB {
        @Override
        List<String> options(String image) {
            return List.of("--pvgrub", "--root-name", "xvda1", "--config", file(image, ".xl.cfg").toString());
        }
    },

    /** The same image under Linux. */
    LINUX {
        @Override
        List<String> options(String image) throws IOException {
            Path linux = Path.of(output(System.getProperty("lab.linux")));
            return List.of("--kernel", linux.resolve("linux").toString(), "--ramdisk",
                    linux.resolve("initramfs").toString(), "--extra", "console=hvc0 quiet peer=image",
                    "--memory", "512", "--disk", file(image, ".img").toString());
        }

        /** Linux has uses of its own for its sysrq keys. */
        @Override
        String threadDumpCommand() {
            return "console SIGQUIT";
        }
    };

    /** The options of {@code lab/xen} for the image of this name. */
    abstract List<String> options(String image) throws IOException;

    /** What makes the lab send SIGQUIT to the JVM. */
    String threadDumpCommand() {
        return "sysrq q";
    }

    private static Path file(String image, String extension) {
        Path file = XenLab.images().resolve(image + extension);
        if (!Files.exists(file)) {
            throw new AssertionError(file + " is missing; run: ./mvnw package");
        }
        return file;
    }

    private static String output(String command) throws IOException {
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }
}
