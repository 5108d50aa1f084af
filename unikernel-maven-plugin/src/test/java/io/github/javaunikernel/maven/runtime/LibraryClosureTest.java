package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        Map<String, Path> closure = new LibraryClosure(Path.of("/")).add(program()).resolve();
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
        Map<String, Path> closure = new LibraryClosure(root).add(program()).resolve();
        assertEquals(Map.of("/lib64/ld-linux-x86-64.so.2", directory.resolve("ld-real.so"),
                "/usr/lib64/libc.so.6", directory.resolve("libc.so.6")), closure);
    }

    @Test
    void saysWhichLibraryIsMissingAndWhatNeedsIt() throws Exception {
        Files.createDirectories(root.resolve("lib64"));
        Files.copy(LINKER.toRealPath(), root.resolve("lib64/ld-linux-x86-64.so.2"));
        SettingException missing = assertThrows(SettingException.class,
                () -> new LibraryClosure(root).add(program()).resolve());
        assertEquals("sysroot", missing.parameter());
        assertTrue(missing.getMessage().contains("libc.so.6, needed by " + program.resolve("sh")),
                missing.getMessage());
    }

    @Test
    void whatLiesBesideTheProgramIsNotTakenFromTheRoot() throws Exception {
        Files.copy(LIBRARIES.resolve("libc.so.6"), program.resolve("libc.so.6"));
        Map<String, Path> closure = new LibraryClosure(Path.of("/")).add(program()).resolve();
        assertTrue(closure.keySet().stream().noneMatch(path -> path.endsWith("/libc.so.6")), closure.toString());
    }
}
