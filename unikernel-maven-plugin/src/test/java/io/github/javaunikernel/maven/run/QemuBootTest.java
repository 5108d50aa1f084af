// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.KernelCommandLine;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QemuBootTest {

    @Test
    void theKernelsOptionsAreTheImages() throws Exception {
        assertEquals("verbose", QemuBoot.kernelOptions(request("verbose", OptionalInt.empty())));
    }

    @Test
    void theKernelStaysWhereItWasLinkedForGdb() throws Exception {
        assertEquals("nokaslr", QemuBoot.kernelOptions(request("", OptionalInt.of(1234))));
        assertEquals("verbose nokaslr", QemuBoot.kernelOptions(request("verbose", OptionalInt.of(1234))));
    }

    @Test
    void aRecordingHasAConfigurationOfItsOwn() throws Exception {
        QemuRequest request = request("verbose", OptionalInt.empty()).recordingTo(Path.of("list"));
        assertEquals(Optional.of(Path.of("list")), request.recording());
        assertEquals("verbose conf=/etc/unikernel.training.conf", QemuBoot.kernelOptions(request));
    }

    @Test
    void aCheckHasAConfigurationOfItsOwnAndNoPorts() throws Exception {
        QemuRequest request = request("verbose", OptionalInt.empty()).checking();
        assertEquals("verbose conf=/etc/unikernel.check.conf", QemuBoot.kernelOptions(request));
        assertEquals(List.of(), request.ports());
        assertEquals(Optional.empty(), request.recording());
    }

    @ParameterizedTest
    @CsvSource({
        "UEFI, false, 'The image was not made for UEFI.'",
        "BIOS, true, 'The image was made for UEFI, and no BIOS boots it.'"
    })
    void theImageMustHaveTheFormForTheFirmware(Firmware firmware, boolean uefi, String message) throws Exception {
        QemuRequest request = request("", OptionalInt.empty(), firmware, uefi);
        SettingException e =
                assertThrows(SettingException.class, () -> QemuBoot.prepare(request, new Console(text -> {})));
        assertEquals("firmware", e.parameter());
        assertTrue(e.getMessage().startsWith(message), e.getMessage());
    }

    private static QemuRequest request(String options, OptionalInt gdbPort) throws Exception {
        return request(options, gdbPort, Firmware.NONE, false);
    }

    private static QemuRequest request(String options, OptionalInt gdbPort, Firmware firmware, boolean uefi)
            throws Exception {
        BuiltImage image = new BuiltImage(
                "hello",
                Path.of("hello.img"),
                Path.of("hello.kernel"),
                Path.of("hello.xl.cfg"),
                uefi,
                KernelCommandLine.parse(options),
                128,
                1,
                NetworkSetting.parse("dhcp"),
                0,
                List.of(),
                0,
                0,
                null,
                "/etc/unikernel.training.conf",
                null,
                new BuiltImage.Check("/etc/unikernel.check.conf", List.of("--self-test")));
        return new QemuRequest(
                image,
                firmware,
                OptionalInt.empty(),
                Path.of("qemu"),
                new Accelerator("tcg", "", false),
                List.of(new PortForward(0, 8080)),
                OptionalInt.empty(),
                gdbPort,
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }
}
