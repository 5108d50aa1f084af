// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Closures over the machine's own libraries, copied into roots of other shapes. */
class LibraryClosureTest {

    private static final Path LIBRARIES = Path.of("/lib/x86_64-linux-gnu");
    private static final Path LINKER = Path.of("/lib64/ld-linux-x86-64.so.2");

    @TempDir
    private Path scratch;

    private Path root;
    private Path program;

    @BeforeEach
    void copyProgram() throws IOException {
        root = Files.createDirectories(scratch.resolve("root"));
        program = Files.createDirectories(scratch.resolve("program"));
        Files.copy(Path.of("/bin/sh"), program.resolve("sh"));
    }

    private List<Path> program() throws IOException {
        try (var files = Files.list(program)) {
            return files.toList();
        }
    }

    @Test
    void findsTheLinkerTheLibrariesAndWhatIsLoadedByName() throws Exception {
        Map<String, Path> closure =
                new LibraryClosure(new SystemRoot(Path.of("/"))).add(program()).resolve();
        assertTrue(closure.containsKey("/lib64/ld-linux-x86-64.so.2"), closure.toString());
        assertTrue(closure.containsKey("/lib/x86_64-linux-gnu/libc.so.6"), closure.toString());
        assertTrue(closure.containsKey("/lib/x86_64-linux-gnu/libgcc_s.so.1"), closure.toString());
    }

    @Test
    void followsAbsoluteLinksInsideTheGivenRoot() throws Exception {
        Path directory = Files.createDirectories(root.resolve("usr/lib64"));
        Files.createDirectories(root.resolve("lib64"));
        Files.copy(LINKER.toRealPath(), directory.resolve("ld-real.so"));
        Files.createSymbolicLink(root.resolve("lib64/ld-linux-x86-64.so.2"), Path.of("/usr/lib64/ld-real.so"));
        Files.copy(LIBRARIES.resolve("libc.so.6"), directory.resolve("libc.so.6"));
        Map<String, Path> closure =
                new LibraryClosure(new SystemRoot(root)).add(program()).resolve();
        assertEquals(
                Map.of(
                        "/lib64/ld-linux-x86-64.so.2",
                        directory.resolve("ld-real.so"),
                        "/usr/lib64/libc.so.6",
                        directory.resolve("libc.so.6")),
                closure);
    }

    @Test
    void saysWhichLibraryIsMissingAndWhatNeedsIt() throws Exception {
        Files.createDirectories(root.resolve("lib64"));
        Files.copy(LINKER.toRealPath(), root.resolve("lib64/ld-linux-x86-64.so.2"));
        SettingException missing = assertThrows(
                SettingException.class,
                () -> new LibraryClosure(new SystemRoot(root)).add(program()).resolve());
        assertEquals("sysroot", missing.parameter());
        assertTrue(
                missing.getMessage().contains("libc.so.6, needed by " + program.resolve("sh")), missing.getMessage());
    }

    @Test
    void whatLiesBesideTheProgramIsNotTakenFromTheRoot() throws Exception {
        Files.copy(LIBRARIES.resolve("libc.so.6"), program.resolve("libc.so.6"));
        Map<String, Path> closure =
                new LibraryClosure(new SystemRoot(Path.of("/"))).add(program()).resolve();
        assertTrue(closure.keySet().stream().noneMatch(path -> path.endsWith("/libc.so.6")), closure.toString());
    }

    @Test
    void whatLibrariesInsideOfJarsNeedComesAlong() throws Exception {
        Map<String, Path> closure = new LibraryClosure(new SystemRoot(Path.of("/")))
                .addJars(new JarLibraries(List.of(jarOfLibraries())))
                .resolve();
        assertTrue(closure.containsKey("/lib/x86_64-linux-gnu/libm.so.6"), closure.toString());
    }

    @Test
    void aLibraryInAJarThatCannotLoadIsToldOnceAndIsNoError() throws Exception {
        Files.createDirectories(root.resolve("lib64"));
        Files.copy(LINKER.toRealPath(), root.resolve("lib64/ld-linux-x86-64.so.2"));
        Files.copy(LIBRARIES.resolve("libc.so.6"), root.resolve("lib64/libc.so.6"));
        LibraryClosure closure =
                new LibraryClosure(new SystemRoot(root)).addJars(new JarLibraries(List.of(jarOfLibraries())));
        assertTrue(closure.resolve().containsKey("/lib64/libc.so.6"));
        assertEquals(1, closure.unresolved().size(), closure.unresolved().toString());
        assertTrue(
                closure.unresolved()
                        .get(0)
                        .startsWith("The native library libm.so.6, needed by"
                                + " natives.jar!/native/libone.so, is missing in " + root + ", so"),
                closure.unresolved().toString());
    }

    /** DragonFly, OpenBSD, Solaris (twice), Android and musl: their files' headers are those of Linux. */
    @ParameterizedTest
    @ValueSource(strings = {"libc.so.8", "libc.so.95.0", "libm.so.2", "libdl.so.1", "libc.so", "libc.musl-x86_64.so.1"})
    void librariesOfOtherSystemsInsideOfJarsAreLeftAlone(String cLibrary) throws Exception {
        Path needed = compiled("needed", "int needed(void) { return 1; }\n", "-nostdlib", "-Wl,-soname," + cLibrary);
        Path user = compiled(
                "user", "int needed(void);\nint user(void) { return needed(); }\n", "-nostdlib", needed.toString());
        Path jar = scratch.resolve("foreign.jar");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
            put(out, "foreign/libuser.so", Files.readAllBytes(user));
        }
        LibraryClosure closure =
                new LibraryClosure(new SystemRoot(Path.of("/"))).addJars(new JarLibraries(List.of(jar)));
        assertEquals(Map.of(), closure.resolve());
        assertEquals(List.of(), closure.unresolved());
    }

    @Test
    void whatTheApplicationsLibrariesOpenByNameComesAlong() throws Exception {
        Path library = compiled(
                "opener",
                "#include <dlfcn.h>\nvoid *one(void) { return dlopen(\"libutil.so.1\", 1); }\n"
                        + "void *two(void) { return dlopen(\"/lib/x86_64-linux-gnu/libdl.so.2\", 1); }\n"
                        + "void *three(void) { return dlopen(\"libnowhere.so.1\", 1); }\n"
                        + "const char *text(void) { return \"see libanl.so.1 for more\"; }\n");
        LibraryClosure closure = new LibraryClosure(new SystemRoot(Path.of("/"))).addOwn(List.of(library));
        Map<String, Path> own = closure.resolve();
        assertEquals(own.keySet(), closure.reasons().keySet());
        assertEquals("named by " + library.getFileName(), closure.reasons().get("/lib/x86_64-linux-gnu/libutil.so.1"));
        assertTrue(own.containsKey("/lib/x86_64-linux-gnu/libutil.so.1"), own.toString());
        assertTrue(own.containsKey("/lib/x86_64-linux-gnu/libdl.so.2"), own.toString());
        assertTrue(own.keySet().stream().noneMatch(path -> path.contains("libanl")), own.toString());
        Map<String, Path> other = new LibraryClosure(new SystemRoot(Path.of("/")))
                .add(List.of(library))
                .resolve();
        assertTrue(!other.containsKey("/lib/x86_64-linux-gnu/libutil.so.1"), other.toString());
        LibraryClosure named = new LibraryClosure(new SystemRoot(Path.of("/")));
        assertTrue(named.addNamed("libutil.so.1", "lib/libsctp.so"));
        assertTrue(!named.addNamed("libnowhere.so.1", "lib/libsctp.so"));
        assertTrue(named.resolve().containsKey("/lib/x86_64-linux-gnu/libutil.so.1"));
        assertEquals("opened by lib/libsctp.so", named.reasons().get("/lib/x86_64-linux-gnu/libutil.so.1"));
    }

    @Test
    void theSearchPathOfALibraryIsFollowed() throws Exception {
        Path vendor = Files.createDirectories(root.resolve("opt/vendor/lib"));
        Files.createDirectories(root.resolve("lib64"));
        Files.copy(LINKER.toRealPath(), root.resolve("lib64/ld-linux-x86-64.so.2"));
        Files.copy(LIBRARIES.resolve("libc.so.6"), root.resolve("lib64/libc.so.6"));
        Path needed = compiled("needed", "int needed(void) { return 1; }\n");
        Path user = compiled(
                "user",
                "int needed(void);\nint user(void) { return needed(); }\n",
                needed.toString(),
                "-Wl,-rpath,$ORIGIN/x:/opt/vendor/lib");
        Files.move(needed, vendor.resolve(needed.getFileName()));
        Map<String, Path> closure =
                new LibraryClosure(new SystemRoot(root)).add(List.of(user)).resolve();
        assertEquals(vendor.resolve("libneeded.so"), closure.get("/opt/vendor/lib/libneeded.so"));
    }

    private Path compiled(String name, String code, String... more) throws Exception {
        Path source = Files.writeString(scratch.resolve(name + ".c"), code);
        Path library = scratch.resolve("lib" + name + ".so");
        List<String> command = new java.util.ArrayList<>(List.of(
                "gcc",
                "-shared",
                "-fPIC",
                "-Wl,-soname,lib" + name + ".so",
                "-o",
                library.toString(),
                source.toString()));
        command.addAll(List.of(more));
        assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
        return library;
    }

    /** One library of this system, and others for ARM, for FreeBSD, and something that is named like a library. */
    private Path jarOfLibraries() throws IOException {
        Path source = scratch.resolve("one.c");
        Files.writeString(source, "int one(void) { return 1; }\n");
        Path compiled = scratch.resolve("libone.so");
        Process compiler = new ProcessBuilder(
                        "gcc",
                        "-shared",
                        "-fPIC",
                        "-Wl,--no-as-needed",
                        "-lm",
                        "-o",
                        compiled.toString(),
                        source.toString())
                .inheritIO()
                .start();
        try {
            assertEquals(0, compiler.waitFor());
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        byte[] library = Files.readAllBytes(compiled);
        byte[] arm = library.clone();
        arm[18] = (byte) 183;
        byte[] freeBsd = library.clone();
        freeBsd[7] = 9;
        Path jar = scratch.resolve("natives.jar");
        try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(jar))) {
            put(out, "native/libone.so", library);
            put(out, "native/arm/libone.so", arm);
            put(out, "native/freebsd/libone.so", freeBsd);
            put(out, "native/text.so", "GROUP ( libone.a )".getBytes(StandardCharsets.US_ASCII));
        }
        return jar;
    }

    private static void put(ZipOutputStream out, String name, byte[] content) throws IOException {
        out.putNextEntry(new ZipEntry(name));
        out.write(content);
    }
}
