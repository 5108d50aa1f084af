// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * What runs the guest's instructions.
 *
 * @param name as QEMU calls it
 * @param note one line about the choice, for the user
 * @param warning whether the user can and should do something about it
 */
public record Accelerator(String name, String note, boolean warning) {

    private static final String PARAMETER = "accel";

    /**
     * A machine, as far as it matters here.
     *
     * @param architecture as in the system property {@code os.arch}
     * @param virtualisation whether the CPU has it
     * @param kvm whether there is a device for it
     * @param permitted whether this process may use that
     */
    public record Host(String architecture, boolean virtualisation, boolean kvm, boolean permitted) {

        private static final Path DEVICE = Path.of("/dev/kvm");
        private static final Path CPUS = Path.of("/proc/cpuinfo");
        /** The flags of Intel and AMD, as proc(5) shows them. */
        private static final Pattern FLAGS = Pattern.compile("^flags\\s*:.*\\b(vmx|svm)\\b", Pattern.MULTILINE);

        /** This machine. */
        public static Host current() throws IOException {
            boolean virtualisation = Files.exists(CPUS)
                    && FLAGS.matcher(FileTrouble.on(CPUS, () -> Files.readString(CPUS)))
                            .find();
            return new Host(
                    System.getProperty("os.arch"),
                    virtualisation,
                    Files.exists(DEVICE),
                    Files.isReadable(DEVICE) && Files.isWritable(DEVICE));
        }
    }

    /**
     * Chooses.
     *
     * @param wanted {@code auto}, {@code kvm} or {@code tcg}
     */
    public static Accelerator choose(String wanted, Host host) throws SettingException {
        if (wanted.equals("tcg")) {
            return new Accelerator("tcg", "QEMU emulates the CPU (tcg), as asked", false);
        }
        if (!wanted.equals("auto") && !wanted.equals("kvm")) {
            throw new SettingException(PARAMETER, "'" + wanted + "' is not an accelerator.", "Use auto, kvm or tcg.");
        }
        if (!host.architecture().matches("amd64|x86_64")) {
            return without(
                    wanted,
                    "a machine of architecture " + host.architecture() + " does not run x86-64 itself",
                    false,
                    "Use a machine with x86-64, or -Dunikernel.accel=tcg");
        }
        if (!host.virtualisation()) {
            return without(
                    wanted,
                    "the CPU has no hardware virtualisation (vmx, svm)",
                    false,
                    "Enable it in the firmware or the outer host, or use -Dunikernel.accel=tcg");
        }
        if (!host.kvm()) {
            return without(
                    wanted,
                    "there is no /dev/kvm",
                    false,
                    "Load the module kvm_intel or kvm_amd, or use -Dunikernel.accel=tcg");
        }
        if (!host.permitted()) {
            return without(
                    wanted,
                    "/dev/kvm is there, but you may not use it",
                    true,
                    "Add yourself to its group (sudo usermod -aG kvm $USER) and log in again");
        }
        return new Accelerator("kvm", "QEMU uses hardware virtualisation (kvm)", false);
    }

    private static Accelerator without(String wanted, String reason, boolean warning, String fix)
            throws SettingException {
        if (wanted.equals("kvm")) {
            throw new SettingException(PARAMETER, "KVM cannot be used: " + reason + ".", fix + ".");
        }
        return new Accelerator(
                "tcg",
                "QEMU emulates the CPU (tcg), which is slower: " + reason + (warning ? ". " + fix : ""),
                warning);
    }
}
