// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which files are taken for kernels. */
class KernelTest {

    @TempDir
    private Path scratch;

    @Test
    void aCopyOfThePluginsKernelIsOne() throws Exception {
        Path copy = Files.write(scratch.resolve("kernel"), Kernel.builtIn().elf());
        Kernel kernel = Kernel.of(copy);
        assertArrayEquals(Kernel.builtIn().elf(), kernel.elf());
        assertEquals("file:kernel", kernel.origin());
    }

    @Test
    void otherProgramsAreRefused() throws IOException {
        String fix = " [parameter kernel, -Dunikernel.kernel] Name the file unikernel.elf that 'make -C guest-kernel'"
                + " writes, or leave it out to use the kernel that comes with the plugin.";
        assertEquals("/bin/ls is an ELF file, but not one of this guest kernel." + fix, refused(Path.of("/bin/ls")));
        Path text = Files.writeString(scratch.resolve("text"), "Xen\0unikernel\0");
        assertTrue(refused(text).startsWith(text + " is not a 64-bit ELF file."), refused(text));
    }

    @Test
    void theNamesOfSystemCallsAreThoseOfTheKernel() throws IOException {
        assertTrue(Kernel.callNames().containsAll(List.of("read", "epoll_wait", "futex", "openat")));
        assertTrue(Kernel.errorNames().containsAll(List.of("E2BIG", "ENOSYS", "ENOPROTOOPT")));
    }

    private static String refused(Path file) {
        return assertThrows(SettingException.class, () -> Kernel.of(file)).getMessage();
    }
}
