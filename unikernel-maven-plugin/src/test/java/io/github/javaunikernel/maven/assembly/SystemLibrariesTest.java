// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.image.ImageTree;
import io.github.javaunikernel.maven.runtime.LinuxSystem;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The shell as the user's program, on systems with some of this machine's libraries. */
class SystemLibrariesTest {

    private static final String LINKER = "lib64/ld-linux-x86-64.so.2";
    private static final String LIBRARIES = "lib/x86_64-linux-gnu/";

    @TempDir
    private Path scratch;

    private final List<String> lines = new ArrayList<>();
    private Path files;
    private List<Application.Jar> jars = List.of();

    @BeforeEach
    void copyProgram() throws IOException {
        files = Files.createDirectory(scratch.resolve("files"));
        Files.copy(Path.of("/bin/sh"), files.resolve("sh"));
    }

    @Test
    void theFirstIsTakenAndTheOthersAreNotLookedForIfItHasAll() throws Exception {
        LinuxSystem first = system("first", LINKER, LIBRARIES + "libc.so.6");
        LinuxSystem unwanted = new LinuxSystem("unwanted", () -> {
            throw new IOException("downloaded");
        });
        SystemLibraries chosen = choose(first, unwanted);
        assertEquals(scratch.resolve("first"), chosen.root());
        assertEquals(
                Set.of("/" + LINKER, "/" + LIBRARIES + "libc.so.6"),
                chosen.files().keySet());
        assertEquals(List.of(), lines);
    }

    @Test
    void theNextIsTakenIfAProgramCannotStartWithTheFirst() throws Exception {
        LinuxSystem first = system("first", LINKER);
        LinuxSystem second = system("second", LINKER, LIBRARIES + "libc.so.6");
        assertEquals(scratch.resolve("second"), choose(first, second).root());
        assertEquals(
                List.of("Native libraries come from second. The native library libc.so.6, needed by "
                        + files.resolve("sh") + ", is missing in first."),
                lines);
        SettingException refused = assertThrows(SettingException.class, () -> choose(first));
        assertEquals("sysroot", refused.parameter());
    }

    @Test
    void whatAProgramMayLoadIsLookedForInTheNextAndTheFirstKeptIfItIsNotThere() throws Exception {
        jars = List.of(new Application.Jar(jarWith("/" + LIBRARIES + "libm.so.6"), "maven:a:natives:1"));
        LinuxSystem first = system("first", LINKER, LIBRARIES + "libc.so.6");
        assertEquals(scratch.resolve("first"), choose(first).root());
        assertEquals(List.of(), lines);

        jars = List.of(new Application.Jar(jarWith(libstdcxx()), "maven:a:natives:1"));
        SystemLibraries lacking = choose(first, system("same", LINKER, LIBRARIES + "libc.so.6"));
        assertEquals(scratch.resolve("first"), lacking.root());
        assertTrue(lacking.warnings().toString().contains("libm.so.6, needed by"), lacking.toString());
        assertEquals(List.of(), lines);

        LinuxSystem absent = new LinuxSystem("absent", () -> {
            throw new SettingException("sysroot", "There is none.", "Look elsewhere.");
        });
        assertEquals(scratch.resolve("first"), choose(first, absent).root());
        assertEquals(List.of("Native libraries are not looked for in absent. There is none."), lines);
        assertThrows(SettingException.class, () -> choose(absent, first));
        lines.clear();

        LinuxSystem more =
                system("more", LINKER, LIBRARIES + "libc.so.6", LIBRARIES + "libm.so.6", LIBRARIES + "libgcc_s.so.1");
        assertEquals(scratch.resolve("more"), choose(first, more).root());
        assertEquals(
                List.of("Native libraries come from more. It has libgcc_s.so.1, libm.so.6; first does not."), lines);
    }

    private SystemLibraries choose(LinuxSystem... systems) throws Exception {
        Application application = new Application(null, jars, List.of(), Map.of(), List.of(), Map.of());
        RuntimeChoice runtime = new RuntimeChoice(
                null,
                Set.of(),
                Set.of(),
                Set.of(),
                true,
                true,
                true,
                null,
                null,
                null,
                List.of(systems),
                List.of(),
                scratch,
                0);
        ImageRequest request =
                new ImageRequest("name", scratch, application, null, runtime, null, null, files, 0, null, Map.of());
        return SystemLibraries.choose(request, Optional.empty(), new ImageTree(), lines::add);
    }

    private LinuxSystem system(String name, String... paths) throws IOException {
        Path root = scratch.resolve(name);
        for (String path : paths) {
            Files.createDirectories(root.resolve(path).getParent());
            Files.copy(Path.of("/").resolve(path).toRealPath(), root.resolve(path));
        }
        return new LinuxSystem(name, () -> root);
    }

    private static String libstdcxx() {
        return Stream.of("/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/usr/lib64/libstdc++.so.6")
                .filter(path -> Files.exists(Path.of(path)))
                .findFirst()
                .orElseThrow();
    }

    private Path jarWith(String library) throws IOException {
        Path jar = scratch.resolve("natives.jar");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
            out.putNextEntry(new ZipEntry("native/libown.so"));
            Files.copy(Path.of(library), out);
        }
        return jar;
    }
}
