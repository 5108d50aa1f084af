// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Programs of each kind that a compiler makes, and everything else that a user may name. */
class ExecutableTest {

    private static final String MAIN = "int main(void) { return 0; }\n";

    @TempDir
    private Path scratch;

    private byte[] program;

    @BeforeEach
    void compileProgram() throws Exception {
        program = Files.readAllBytes(compiled("program", MAIN, "-static"));
    }

    @Test
    void takesEachKindOfProgram() throws Exception {
        for (List<String> kind : List.of(
                List.of("-static"), List.of("-static-pie", "-fPIE"), List.of("-pie", "-fPIE"), List.of("-no-pie"))) {
            Path file = compiled("kind", MAIN, kind.toArray(String[]::new));
            assertEquals(Map.of(), Executable.of(file).libraries(), kind.toString());
            assertEquals(
                    kind.get(0).startsWith("-static"),
                    ElfFile.read(file).orElseThrow().isStatic(),
                    kind.toString());
        }
    }

    @Test
    void saysWhatElseAFileIs() throws Exception {
        assertRefused(scratch, " is a directory. ");
        assertRefused(scratch.resolve("absent"), "There is no file " + scratch.resolve("absent") + ". ");
        assertRefused("#!/bin/sh\necho\n".getBytes(StandardCharsets.UTF_8), " is a script, ");
        assertRefused(new byte[0], " is not an ELF file. ");
        assertRefused("MZ".getBytes(StandardCharsets.UTF_8), " is a program for Windows. ");
        assertRefused(new byte[] {(byte) 0xCF, (byte) 0xFA, (byte) 0xED, (byte) 0xFE}, " is a program for macOS. ");
        assertRefused(Arrays.copyOf(program, 40), " is only the beginning of an ELF file. ");
        assertRefused(with(4, 1), " is a 32-bit program ");
        assertRefused(with(5, 2), " is a program for a big-endian machine. ");
        assertRefused(with(7, 9), " is a program for another system than Linux. ");
        assertRefused(with(18, 183), " is a program for AArch64. ");
        assertRefused(with(18, 99), " is a program for machine 99 of the ELF standard. ");
        assertRefused(with(16, 4), " is a memory dump of a program. ");
        assertRefused(compiled("object", MAIN, "-c"), " is an object file that has not been linked. ");
        assertRefused(compiled("library", MAIN, "-shared", "-fPIC"), " is a shared library and no program. ");
    }

    @Test
    void findsLibrariesByPathsRelativeToTheirUsers() throws Exception {
        Path lib = Files.createDirectories(scratch.resolve("lib"));
        Path bin = Files.createDirectories(scratch.resolve("bin"));
        Path inner = compiled("lib/libinner.so", "int inner(void) { return 1; }\n", shared("libinner.so"));
        Path outer = compiled(
                "lib/libouter.so",
                "int inner(void);\nint outer(void) { return inner(); }\n",
                shared("libouter.so", inner.toString(), "-Wl,-rpath,${ORIGIN}"));
        Path user = compiled(
                "bin/user",
                "int outer(void);\nint main(void) { return outer(); }\n",
                outer.toString(),
                "-Wl,-rpath,$ORIGIN/absent:$ORIGIN/../lib",
                "-Wl,-rpath-link," + lib);
        Map<Path, Path> libraries = Executable.of(user).libraries();
        assertEquals(Set.of(Path.of("../lib/libinner.so"), Path.of("../lib/libouter.so")), libraries.keySet());
        assertTrue(Files.isSameFile(inner, libraries.get(Path.of("../lib/libinner.so"))));
        assertFalse(ElfFile.read(user).orElseThrow().isStatic());
        assertTrue(Files.isDirectory(bin));
    }

    @Test
    void aLibraryThatLacksAVersionIsRefused() throws Exception {
        Path script = Files.writeString(scratch.resolve("versions"), "ONE_1.0 { global: one; };\n");
        Path newer = Files.writeString(scratch.resolve("newer"), "ONE_1.0 { };\nONE_2.0 { global: one; };\n");
        String code = "int one(void) { return 1; }\n";
        Path library = compiled("libone.so", code, shared("libone.so", "-Wl,--version-script=" + newer));
        Path user = compiled("user", "int one(void);\nint main(void) { return one(); }\n", library.toString());
        assertEquals(
                Set.of("ONE_2.0"),
                ElfFile.read(user).orElseThrow().versions().needed().get("libone.so"));
        assertTrue(new LibraryClosure(new SystemRoot(Path.of("/")))
                        .add(List.of(user, library))
                        .resolve()
                        .size()
                > 1);
        compiled("libone.so", code, shared("libone.so", "-Wl,--version-script=" + script));
        SettingException refused = assertThrows(
                SettingException.class,
                () -> new LibraryClosure(new SystemRoot(Path.of("/")))
                        .add(List.of(user, library))
                        .resolve());
        assertEquals(
                user + " needs ONE_2.0 of libone.so, which " + library + " does not have: it was linked with a newer"
                        + " version of that library. [parameter sysroot, -Dunikernel.sysroot] Link it on the system"
                        + " that sysroot names, or set sysroot to the root directory of a newer one.",
                refused.getMessage());
        compiled("libone.so", code, shared("libone.so"));
        assertTrue(new LibraryClosure(new SystemRoot(Path.of("/")))
                        .add(List.of(user, library))
                        .resolve()
                        .size()
                > 1);
    }

    @Test
    void aMissingDynamicLinkerIsNamed() throws Exception {
        Path user = compiled("user", MAIN, "-Wl,--dynamic-linker=/lib/ld-absent.so.1");
        SettingException refused = assertThrows(
                SettingException.class,
                () -> new LibraryClosure(new SystemRoot(Path.of("/")))
                        .add(List.of(user))
                        .resolve());
        assertTrue(
                refused.getMessage()
                        .startsWith("The dynamic linker /lib/ld-absent.so.1 of " + user
                                + " is missing in /. [parameter sysroot, -Dunikernel.sysroot] Install"),
                refused.getMessage());
    }

    private void assertRefused(byte[] bytes, String what) throws Exception {
        assertRefused(Files.write(scratch.resolve("file"), bytes), what);
    }

    private static void assertRefused(Path file, String what) {
        SettingException refused = assertThrows(SettingException.class, () -> Executable.of(file));
        assertEquals("executable", refused.parameter());
        assertTrue(refused.getMessage().contains(what), refused.getMessage());
    }

    private byte[] with(int offset, int value) {
        byte[] changed = program.clone();
        changed[offset] = (byte) value;
        return changed;
    }

    private static String[] shared(String name, String... more) {
        List<String> words = new ArrayList<>(List.of("-shared", "-fPIC", "-Wl,-soname," + name));
        words.addAll(List.of(more));
        return words.toArray(String[]::new);
    }

    private Path compiled(String name, String code, String... words) throws Exception {
        Path file = scratch.resolve(name);
        Path source = Files.writeString(scratch.resolve("source.c"), code);
        List<String> command = new ArrayList<>(List.of("gcc", source.toString(), "-o", file.toString()));
        command.addAll(List.of(words));
        assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
        return file;
    }
}
