// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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
     * @param family its system
     * @param architecture as in the system property {@code os.arch}
     * @param virtualisation whether the CPU has it, as far as the system says
     * @param offered whether the system offers it to programs
     * @param permitted whether this process may use that
     */
    public record Host(
            HostFamily family, String architecture, boolean virtualisation, boolean offered, boolean permitted) {

        private static final Path DEVICE = Path.of("/dev/kvm");
        private static final Path CPUS = Path.of("/proc/cpuinfo");
        /** The flags of Intel and AMD, as proc(5) shows them. */
        private static final Pattern FLAGS = Pattern.compile("^flags\\s*:.*\\b(vmx|svm)\\b", Pattern.MULTILINE);

        /** 1 where Hypervisor.framework works, which it does not for x86-64 on Apple's own processors. */
        private static final List<String> HYPERVISOR_FRAMEWORK = List.of("sysctl", "-n", "kern.hv_support");
        /** Part of the feature "Windows Hypervisor Platform", below the directory of Windows. */
        private static final String HYPERVISOR_PLATFORM = "System32\\WinHvPlatform.dll";

        /** This machine. */
        public static Host current() throws IOException {
            HostFamily family = HostFamily.current();
            String architecture = System.getProperty("os.arch");
            return switch (family) {
                case LINUX ->
                    new Host(
                            family,
                            architecture,
                            cpuHasIt(),
                            Files.exists(DEVICE),
                            Files.isReadable(DEVICE) && Files.isWritable(DEVICE));
                case MACOS -> new Host(family, architecture, true, hasFramework(), true);
                case WINDOWS -> new Host(family, architecture, true, hasPlatform(System.getenv("SystemRoot")), true);
            };
        }

        private static boolean cpuHasIt() throws IOException {
            return Files.exists(CPUS)
                    && FLAGS.matcher(FileTrouble.on(CPUS, () -> Files.readString(CPUS)))
                            .find();
        }

        /** A Mac that does not answer counts as one without. */
        private static boolean hasFramework() {
            try {
                Process sysctl = new ProcessBuilder(HYPERVISOR_FRAMEWORK)
                        .redirectErrorStream(true)
                        .start();
                sysctl.getOutputStream().close();
                return new String(sysctl.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                        .strip()
                        .equals("1");
            } catch (IOException e) {
                return false;
            }
        }

        /** @param windows its directory, or null where that is not known */
        static boolean hasPlatform(String windows) {
            return windows != null && Files.exists(Path.of(windows, HYPERVISOR_PLATFORM.split("\\\\")));
        }
    }

    /** Whether the guest sees a CPU of QEMU's, and not this machine's. */
    public boolean isEmulation() {
        return name.equals("tcg");
    }

    /** Whether a guest can go on from memory that was saved: whpx refuses to, and hvf has not been tried. */
    public boolean canRestore() {
        return isEmulation() || name.equals(HostFamily.LINUX.virtualisation());
    }

    /**
     * Chooses.
     *
     * @param wanted {@code auto}, {@code tcg}, or what the host's family has: {@code kvm}, {@code hvf} or {@code whpx}
     */
    public static Accelerator choose(String wanted, Host host) throws SettingException {
        String hardware = host.family().virtualisation();
        if (wanted.equals("tcg")) {
            return new Accelerator("tcg", "QEMU emulates the CPU (tcg), as asked", false);
        }
        if (!wanted.equals("auto") && !wanted.equals(hardware)) {
            throw new SettingException(
                    PARAMETER,
                    "'" + wanted + "' is not an accelerator of this machine.",
                    "Use auto, " + hardware + " or tcg.");
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
        if (!host.offered()) {
            return notOffered(wanted, host.family());
        }
        if (!host.permitted()) {
            return without(
                    wanted,
                    "/dev/kvm is there, but you may not use it",
                    true,
                    "Add yourself to its group (sudo usermod -aG kvm $USER) and log in again");
        }
        return new Accelerator(hardware, "QEMU uses hardware virtualisation (" + hardware + ")", false);
    }

    private static Accelerator notOffered(String wanted, HostFamily family) throws SettingException {
        return switch (family) {
            case LINUX ->
                without(
                        wanted,
                        "there is no /dev/kvm",
                        false,
                        "Load the module kvm_intel or kvm_amd, or use -Dunikernel.accel=tcg");
            case MACOS ->
                without(
                        wanted,
                        "macOS offers no virtualisation of x86-64 here (sysctl kern.hv_support)",
                        false,
                        "Use a Mac with an Intel processor, or -Dunikernel.accel=tcg");
            case WINDOWS ->
                without(
                        wanted,
                        "the Windows Hypervisor Platform is not there",
                        true,
                        "Turn it on in 'Turn Windows features on or off' and restart Windows");
        };
    }

    private static Accelerator without(String wanted, String reason, boolean warning, String fix)
            throws SettingException {
        if (!wanted.equals("auto")) {
            throw new SettingException(PARAMETER, wanted + " cannot be used: " + reason + ".", fix + ".");
        }
        return new Accelerator(
                "tcg",
                "QEMU emulates the CPU (tcg), which is slower: " + reason + (warning ? ". " + fix : ""),
                warning);
    }
}
