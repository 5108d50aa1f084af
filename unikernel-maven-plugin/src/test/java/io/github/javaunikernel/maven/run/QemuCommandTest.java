// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class QemuCommandTest {

    @Test
    void describesTheMachine() throws Exception {
        List<String> words = command("/b/hello.img", "dhcp");
        assertEquals("/q/qemu-system-x86_64", words.get(0));
        assertEquals("q35", after(words, "-machine"));
        assertEquals("tcg", after(words, "-accel"));
        assertEquals("96", after(words, "-m"));
        assertEquals("2", after(words, "-smp"));
        assertEquals("/b/hello.kernel", after(words, "-kernel"));
        assertEquals("quiet timings", after(words, "-append"));
        assertEquals("chardev=control,mode=control", after(words, "-mon"));
        assertEquals("user,id=net", after(words, "-netdev"));
        assertTrue(words.containsAll(List.of("-S", "-nodefaults", "-no-user-config", "-no-reboot")));
    }

    @Test
    void emulatesNoMachineThatIsLimitedToOneCpu() throws Exception {
        assertEquals("1,maxcpus=2", after(withCpus("tcg", 1), "-smp"));
        assertEquals("1", after(withCpus("kvm", 1), "-smp"));
        assertEquals("4", after(withCpus("tcg", 4), "-smp"));
    }

    @Test
    void leavesTheKernelToABios() throws Exception {
        List<String> words = command(Firmware.BIOS, "/b/hello.img", "dhcp", Optional.empty());
        assertFalse(words.contains("-kernel") || words.contains("-append"), words.toString());
        assertEquals(command("/b/hello.img", "dhcp").size() - 4, words.size());
    }

    @Test
    void givesConsoleAndReportsASerialPortEach() throws Exception {
        List<String> words = command("/b/hello.img", "dhcp");
        assertEquals(
                List.of("chardev:console", "chardev:reports"),
                IntStream.range(1, words.size())
                        .filter(i -> words.get(i - 1).equals("-serial"))
                        .mapToObj(words::get)
                        .toList());
        assertTrue(words.contains("stdio,id=console,signal=off"));
        assertTrue(words.contains("socket,id=control,path=/tmp/a,,b/control"));
        assertTrue(words.contains("socket,id=reports,path=/tmp/a,,b/reports"));
    }

    @Test
    void givesARecordingTheThirdSerialPort() throws Exception {
        List<String> words = command(Firmware.NONE, "/b/hello.img", "dhcp", Optional.of(Path.of("/b/a,b.recording")));
        List<String> ports = IntStream.range(1, words.size())
                .filter(i -> words.get(i - 1).equals("-serial"))
                .mapToObj(words::get)
                .toList();
        assertEquals(List.of("chardev:console", "chardev:reports", "chardev:recording"), ports);
        assertTrue(words.contains("file,id=recording,path=/b/a,,b.recording"));
    }

    @Test
    void givesAChannelOnlyIfItIsWanted() throws Exception {
        QemuCommand machine = machine(
                "tcg", 2, Firmware.NONE, "/b/hello.img", "dhcp", 0, List.of(), Optional.empty(), Optional.empty());
        Path control = Path.of("/tmp/control");
        Path reports = Path.of("/tmp/reports");
        assertFalse(machine.words(control, reports, Optional.empty()).toString().contains("channel"));
        List<String> words = machine.words(control, reports, Optional.of(Path.of("a,b.channel")));
        assertTrue(words.contains("socket,id=channel,server=on,wait=off,path=a,,b.channel"));
        assertTrue(words.contains("virtconsole,chardev=channel"));
    }

    @Test
    void neverChangesTheImage() throws Exception {
        assertEquals(
                "id=root,if=none,format=raw,snapshot=on,file=/b/hello.img",
                after(command("/b/hello.img", "dhcp"), "-drive"));
    }

    @Test
    void takesAPathWithACommaAsOne() throws Exception {
        assertTrue(after(command("/b,readonly=off/hello.img", "dhcp"), "-drive")
                .endsWith("file=/b,,readonly=off/hello.img"));
    }

    @Test
    void offersModernDevicesOnly() throws Exception {
        List<String> devices = command("/b/hello.img", "dhcp").stream()
                .filter(word -> word.startsWith("virtio-"))
                .toList();
        assertEquals(3, devices.size());
        devices.forEach(device -> assertTrue(device.endsWith(",disable-legacy=on"), device));
    }

    @Test
    void fitsItsNetworkToAFixedAddress() throws Exception {
        assertEquals(
                "user,id=net,net=10.0.0.9/24,host=10.0.0.254,dns=10.0.0.1",
                after(command("/b/hello.img", "static 10.0.0.9/24 gateway 10.0.0.254 mtu 1400"), "-netdev"));
        assertEquals(
                "user,id=net,net=192.168.7.1/29,host=192.168.7.2,dns=192.168.7.3",
                after(command("/b/hello.img", "static 192.168.7.1/29"), "-netdev"));
        assertEquals(
                "user,id=net,net=10.0.0.6/30,host=10.0.0.5",
                after(command("/b/hello.img", "static 10.0.0.6/30"), "-netdev"));
    }

    @Test
    void leavesOutANetworkThatTheGuestDoesNotUse() throws Exception {
        assertFalse(command("/b/hello.img", "none").contains("-netdev"));
    }

    @Test
    void addsAnEmptySecondDisk() throws Exception {
        List<String> words = command(Firmware.BIOS, "/b/hello.img", "none", 3L << 20, Optional.empty());
        int root = words.indexOf("virtio-blk-pci,drive=root,disable-legacy=on");
        int scratch = words.indexOf("virtio-blk-pci,drive=scratch,disable-legacy=on");
        assertTrue(root > 0 && scratch > root, words.toString());
        assertEquals(
                "id=scratch,if=none,format=raw,snapshot=on,file.driver=null-co,file.read-zeroes=on,file.size=3145728",
                words.get(scratch - 2));
    }

    @Test
    void givesARestorableMachineAnIdentifierAndWhatItGoesOnFrom() throws Exception {
        UUID identifier = UUID.fromString("01234567-89ab-cdef-0123-456789abcdef");
        List<String> booted = of(new Generation(identifier, Optional.empty()));
        assertTrue(booted.contains("vmgenid,guid=" + identifier), booted.toString());
        assertFalse(booted.contains("-incoming"));
        List<String> restored = of(new Generation(identifier, Optional.of(Path.of("/b/memory"))));
        assertEquals("defer", after(restored, "-incoming"));
        assertFalse(command("/b/hello.img", "none").toString().contains("vmgenid"));
    }

    private static List<String> of(Generation generation) throws Exception {
        return words("tcg", 1, Firmware.NONE, "/b/hello.img", "none", 0, Optional.empty(), Optional.of(generation));
    }

    @Test
    void takesUefiInPlaceOfItsBiosAndDropsWhatThatWrites() throws Exception {
        List<String> words = command(Firmware.UEFI, "/b/hello.img", "none", Optional.empty());
        assertTrue(words.contains("if=pflash,format=raw,readonly=on,file=/o,,v/code.fd"), words.toString());
        assertTrue(words.contains("if=pflash,format=raw,snapshot=on,file=/o,,v/variables.fd"), words.toString());
        assertFalse(words.contains("-kernel"));
        assertFalse(command("/b/hello.img", "none").toString().contains("pflash"));
    }

    @Test
    void keepsWhatIsWrittenToDataDisks() throws Exception {
        List<DataDrive> data =
                List.of(new DataDrive(Path.of("/d/a,b.img"), false), new DataDrive(Path.of("/d/c.img"), true));
        List<String> words = machine(
                        "tcg", 1, Firmware.NONE, "/b/hello.img", "none", 0, data, Optional.empty(), Optional.empty())
                .words(Path.of("/tmp/control"), Path.of("/tmp/reports"), Optional.empty());
        assertTrue(words.contains("id=data0,if=none,format=raw,readonly=off,file=/d/a,,b.img"), words.toString());
        assertTrue(words.contains("virtio-blk-pci,drive=data0,disable-legacy=on"), words.toString());
        assertTrue(words.contains("id=data1,if=none,format=raw,readonly=on,file=/d/c.img"), words.toString());
    }

    @Test
    void findsTheUefiOfTheSystemOrOfQemuItself(@TempDir Path root) throws Exception {
        Path debian = root.resolve("usr/share/OVMF");
        Path programs = root.resolve("homebrew/bin");
        List<Ovmf> places = Ovmf.places(debian, programs);
        SettingException e = assertThrows(SettingException.class, () -> Ovmf.in(places));
        assertEquals("firmware", e.parameter());
        assertTrue(e.getMessage().contains("there is neither " + debian.resolve("OVMF_CODE_4M.fd")), e.getMessage());
        assertTrue(e.getMessage().contains("sudo apt install ovmf"), e.getMessage());
        for (String place : List.of("homebrew/bin/share", "homebrew/share/qemu", "usr/share/OVMF")) {
            boolean system = place.startsWith("usr");
            Path share = Files.createDirectories(root.resolve(place));
            Path code = Files.createFile(share.resolve(system ? "OVMF_CODE_4M.fd" : "edk2-x86_64-code.fd"));
            Path variables = Files.createFile(share.resolve(system ? "OVMF_VARS_4M.fd" : "edk2-i386-vars.fd"));
            assertEquals(new Ovmf(code, variables), Ovmf.in(places));
        }
    }

    private static List<String> command(String image, String network) throws Exception {
        return command(Firmware.NONE, image, network, Optional.empty());
    }

    private static List<String> command(Firmware firmware, String image, String network, Optional<Path> recording)
            throws Exception {
        return command(firmware, image, network, 0, recording);
    }

    private static List<String> command(
            Firmware firmware, String image, String network, long scratchBytes, Optional<Path> recording)
            throws Exception {
        return words("tcg", 2, firmware, image, network, scratchBytes, recording, Optional.empty());
    }

    private static List<String> withCpus(String accelerator, int vcpus) throws Exception {
        return words(accelerator, vcpus, Firmware.NONE, "/b/hello.img", "none", 0, Optional.empty(), Optional.empty());
    }

    private static List<String> words(
            String accelerator,
            int vcpus,
            Firmware firmware,
            String image,
            String network,
            long scratchBytes,
            Optional<Path> recording,
            Optional<Generation> generation)
            throws Exception {
        return machine(accelerator, vcpus, firmware, image, network, scratchBytes, List.of(), recording, generation)
                .words(Path.of("/tmp/a,b/control"), Path.of("/tmp/a,b/reports"), Optional.empty());
    }

    private static QemuCommand machine(
            String accelerator,
            int vcpus,
            Firmware firmware,
            String image,
            String network,
            long scratchBytes,
            List<DataDrive> data,
            Optional<Path> recording,
            Optional<Generation> generation)
            throws Exception {
        return new QemuCommand(
                Path.of("/q/qemu-system-x86_64"),
                accelerator,
                96,
                vcpus,
                firmware,
                firmware == Firmware.UEFI
                        ? Optional.of(new Ovmf(Path.of("/o,v/code.fd"), Path.of("/o,v/variables.fd")))
                        : Optional.empty(),
                Path.of("/b/hello.kernel"),
                "quiet timings",
                Path.of(image),
                NetworkSetting.parse(network),
                scratchBytes,
                data,
                recording,
                generation);
    }

    private static String after(List<String> words, String option) {
        return words.get(words.indexOf(option) + 1);
    }
}
