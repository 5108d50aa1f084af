// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.boot.Kernel;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** The file that gdb reads the kernel's symbols from. */
public final class GdbSymbols {

    private GdbSymbols() {}

    /**
     * Puts the symbols of the plugin's kernel beside the image; the symbols of another kernel are in itself, if
     * anywhere.
     */
    public static Path beside(BuiltImage image) throws IOException {
        if (!Arrays.equals(Files.readAllBytes(image.kernel()), Kernel.builtIn().elf())) {
            return image.kernel();
        }
        Path symbols = image.kernel().resolveSibling(image.name() + ".kernel.debug");
        return FileTrouble.on(symbols, () -> Files.write(symbols, Kernel.builtInSymbols()));
    }
}
