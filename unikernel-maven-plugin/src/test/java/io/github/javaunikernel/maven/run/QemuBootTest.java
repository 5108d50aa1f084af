// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.javaunikernel.maven.boot.KernelCommandLine;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

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

    private static QemuRequest request(String options, OptionalInt gdbPort) throws Exception {
        BuiltImage image = new BuiltImage(
                "hello",
                Path.of("hello.img"),
                Path.of("hello.kernel"),
                Path.of("hello.xl.cfg"),
                KernelCommandLine.parse(options),
                128,
                1,
                NetworkSetting.parse("dhcp"),
                0,
                0,
                "/etc/unikernel.training.conf",
                new BuiltImage.Check("/etc/unikernel.check.conf", List.of("--self-test")));
        return new QemuRequest(
                image,
                Firmware.NONE,
                OptionalInt.empty(),
                Path.of("qemu"),
                new Accelerator("tcg", "", false),
                List.of(new PortForward(0, 8080)),
                OptionalInt.empty(),
                gdbPort,
                Optional.empty(),
                Optional.empty());
    }
}
