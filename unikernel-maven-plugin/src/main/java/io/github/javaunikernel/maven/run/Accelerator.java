package io.github.javaunikernel.maven.run;

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
 * @param warning whether the user can do something about it
 */
public record Accelerator(String name, String note, boolean warning) {

    private static final String PARAMETER = "accel";
    private static final Pattern VIRTUALISATION = Pattern.compile("^flags.*\\b(vmx|svm)\\b", Pattern.MULTILINE);
    private static final String GROUP = "Add yourself to the group kvm (sudo usermod -aG kvm $USER) and log in again";

    /**
     * Chooses.
     *
     * @param wanted {@code auto}, {@code kvm} or {@code tcg}
     * @param architecture of this machine, as in {@code os.arch}
     * @param device normally {@code /dev/kvm}
     * @param cpus normally {@code /proc/cpuinfo}
     */
    public static Accelerator choose(String wanted, String architecture, Path device, Path cpus)
            throws SettingException, IOException {
        switch (wanted) {
            case "tcg":
                return new Accelerator("tcg", "QEMU emulates the CPU (tcg), as asked", false);
            case "auto", "kvm":
                break;
            default:
                throw new SettingException(PARAMETER, "'" + wanted + "' is not an accelerator.", "Use auto, kvm or tcg.");
        }
        if (!architecture.matches("amd64|x86_64")) {
            return without(wanted, "a machine of architecture " + architecture + " cannot run x86-64 by itself", false,
                    "Use a machine with x86-64, or -Dunikernel.accel=tcg");
        }
        if (!Files.exists(device)) {
            return without(wanted, "there is no " + device, false,
                    "Enable virtualisation in firmware or outer host and load the module kvm_intel or kvm_amd");
        }
        if (!Files.isReadable(device) || !Files.isWritable(device)) {
            return without(wanted, device + " is there, but not for you", true, GROUP);
        }
        if (!VIRTUALISATION.matcher(Files.readString(cpus)).find()) {
            return without(wanted, "the CPU has no hardware virtualisation (vmx, svm)", false,
                    "Enable it in firmware or outer host");
        }
        return new Accelerator("kvm", "QEMU uses hardware virtualisation (kvm)", false);
    }

    private static Accelerator without(String wanted, String reason, boolean warning, String fix)
            throws SettingException {
        if (wanted.equals("kvm")) {
            throw new SettingException(PARAMETER, "KVM cannot be used: " + reason + ".", fix + ".");
        }
        return new Accelerator("tcg", "QEMU emulates the CPU (tcg), which is slower: " + reason
                + (warning ? ". " + fix : ""), warning);
    }
}
