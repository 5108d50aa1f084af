// SPDX-License-Identifier: Apache-2.0
package it.modular;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.spi.FileTypeDetector;
import java.util.ServiceLoader;

public final class Main {

    private Main() {}

    public static void main(String[] arguments) throws IOException {
        found(Main.class.getModule());
        for (FileTypeDetector detector : ServiceLoader.load(FileTypeDetector.class)) {
            found(detector.getClass().getModule() + " " + detector.probeContentType(Path.of("x")));
        }
        found(Files.probeContentType(Path.of("a.thing")));
        found(ModuleLayer.boot().findModule("java.prefs").isPresent());
        found(Main.class.getClassLoader().getUnnamedModule() == Main.class.getModule());
    }

    private static void found(Object what) {
        System.out.println("found: " + what);
    }
}
