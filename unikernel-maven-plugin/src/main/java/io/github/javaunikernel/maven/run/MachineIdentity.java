// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What must be the same for a snapshot of one machine to go on in another.
 *
 * @param image SHA-256 of the disk
 * @param kernel SHA-256 of the kernel that is loaded
 * @param hypervisor name and version of what makes the machine
 * @param machine what that is asked for
 * @param processor the host's, if the guest runs on it, else that it is emulated
 */
public record MachineIdentity(String image, String kernel, String hypervisor, String machine, String processor) {

    private static final Path PROCESSOR = Path.of("/proc/cpuinfo");

    /** Reads the image as it is now. */
    public static MachineIdentity of(QemuRequest request) throws SettingException, IOException {
        BuiltImage image = request.image();
        return new MachineIdentity(
                KnownHash.of(image.image()),
                KnownHash.of(image.kernel()),
                Qemu.version(request.qemu()),
                String.join(
                        " ", QemuBoot.command(request).words(Path.of("control"), Path.of("reports"), Optional.empty())),
                request.accelerator().isEmulation() ? "emulated" : processorSeen());
    }

    /** Reads the image and asks the Xen host as they are now. */
    static MachineIdentity of(Xl xl, XlDomain domain) throws IOException {
        BuiltImage image = domain.image();
        return new MachineIdentity(
                KnownHash.of(image.image()),
                KnownHash.of(image.kernel()),
                "Xen " + xl.version(),
                domain.machine(),
                processorSeen());
    }

    /** Whether all parts are there, which one that was read from a file may lack. */
    public boolean isComplete() {
        return Stream.of(image, kernel, hypervisor, machine, processor).allMatch(Objects::nonNull);
    }

    /** What differs from another one, in words; empty if nothing does. */
    public Optional<String> difference(MachineIdentity other) {
        if (!image.equals(other.image) || !kernel.equals(other.kernel)) {
            return Optional.of("the image has changed");
        }
        if (!hypervisor.equals(other.hypervisor)) {
            return Optional.of("it was taken with " + other.hypervisor);
        }
        if (!processor.equals(other.processor)) {
            return Optional.of("it was taken on another processor");
        }
        return machine.equals(other.machine) ? Optional.empty() : Optional.of("it was taken of another machine");
    }

    /** What the guest can see of it (proc_cpuinfo(5)). */
    private static String processorSeen() throws IOException {
        String seen = FileTrouble.on(PROCESSOR, () -> Files.readAllLines(PROCESSOR)).stream()
                .filter(line -> line.matches("(model name|microcode|flags)\\s*:.*"))
                .distinct()
                .collect(Collectors.joining("\n"));
        return HexFormat.of().formatHex(sha256().digest(seen.getBytes(StandardCharsets.UTF_8)));
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
