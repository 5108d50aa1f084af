// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** A program of the build that a guest can start: an ELF file for Linux on x86-64 (elf(5)). */
public final class Executable {

    private static final String PARAMETER = "executable";
    private static final String FOR_LINUX = "Build it for Linux on x86-64.";
    private static final int MAGIC_ELF = 0x7F454C46;
    /** A Mach-O file for a 64-bit machine, and one for several machines. */
    private static final int MAGIC_MACH = 0xCFFAEDFE;

    private static final int MAGIC_FAT_MACH = 0xCAFEBABE;
    private static final int CLASS_64 = 2;
    private static final int LITTLE_ENDIAN = 1;
    private static final int MACHINE_X86_64 = 62;
    /** Other machines that people build for (e_machine in the System V ABI). */
    private static final Map<Integer, String> MACHINES =
            Map.of(3, "x86 of 32 bits", 21, "POWER", 22, "s390", 40, "ARM", 183, "AArch64", 243, "RISC-V");

    private static final int TYPE_RELOCATABLE = 1;
    private static final int TYPE_CORE = 4;

    private final Path file;

    private Executable(Path file) {
        this.file = file;
    }

    /** Refuses what a guest cannot start. */
    public static Executable of(Path file) throws IOException, SettingException {
        if (Files.isDirectory(file)) {
            throw refused(file + " is a directory.", "Name the program in it.");
        }
        if (!Files.isRegularFile(file)) {
            throw refused(
                    "There is no file " + file + ".",
                    "Correct the path, or run the goal after what builds the program.");
        }
        checkStart(file, start(file));
        ElfFile elf =
                ElfFile.read(file).orElseThrow(() -> new ExplainedException(file + " is not an ELF file. Replace it."));
        if (!elf.program()) {
            throw refused(file + " is a shared library and no program.", "Name a program that is linked as one.");
        }
        return new Executable(file);
    }

    private static byte[] start(Path file) throws IOException {
        return FileTrouble.on(file, () -> {
            try (InputStream in = Files.newInputStream(file)) {
                return in.readNBytes(ElfFile.HEADER_SIZE);
            }
        });
    }

    private static void checkStart(Path file, byte[] start) throws SettingException {
        ByteBuffer header = ByteBuffer.allocate(ElfFile.HEADER_SIZE);
        header.put(start).rewind();
        if (header.getInt(0) != MAGIC_ELF) {
            throw notElf(file, header);
        }
        if (start.length < ElfFile.HEADER_SIZE) {
            throw refused(file + " is only the beginning of an ELF file.", "Build it again.");
        }
        if (header.get(5) != LITTLE_ENDIAN) {
            throw refused(file + " is a program for a big-endian machine.", FOR_LINUX);
        }
        header.order(ByteOrder.LITTLE_ENDIAN);
        int machine = Short.toUnsignedInt(header.getShort(18));
        if (machine != MACHINE_X86_64) {
            String name = MACHINES.getOrDefault(machine, "machine " + machine + " of the ELF standard");
            throw refused(file + " is a program for " + name + ".", FOR_LINUX);
        }
        if (header.get(4) != CLASS_64) {
            throw refused(file + " is a 32-bit program (the ABI x32).", "Build it for x86-64 with 64-bit addresses.");
        }
        if (!ElfFile.isUsable(start)) {
            throw refused(file + " is a program for another system than Linux.", FOR_LINUX);
        }
        int type = header.getShort(16);
        if (type == TYPE_RELOCATABLE || type == TYPE_CORE) {
            String what = type == TYPE_CORE ? "a memory dump of a program" : "an object file that has not been linked";
            throw refused(file + " is " + what + ".", "Name the program.");
        }
    }

    private static SettingException notElf(Path file, ByteBuffer header) {
        String start = new String(header.array(), 0, 2, StandardCharsets.ISO_8859_1);
        int magic = header.getInt(0);
        if (start.equals("#!")) {
            return refused(
                    file + " is a script, and a guest runs one program, so that no interpreter is there for it.",
                    "Name an ELF program for Linux on x86-64.");
        }
        if (magic == MAGIC_MACH || magic == MAGIC_FAT_MACH) {
            return refused(file + " is a program for macOS.", FOR_LINUX);
        }
        if (start.equals("MZ")) {
            return refused(file + " is a program for Windows.", FOR_LINUX);
        }
        return refused(file + " is not an ELF file.", "Name an ELF program for Linux on x86-64.");
    }

    private static SettingException refused(String problem, String fix) {
        return new SettingException(PARAMETER, problem, fix);
    }

    /** The program. */
    public Path file() {
        return file;
    }

    /**
     * The libraries that lie where the program and they themselves say relative to their own places ($ORIGIN in
     * ld.so(8)): paths from the program's directory, and the files.
     */
    public Map<Path, Path> libraries() throws IOException {
        Map<Path, Path> found = new TreeMap<>();
        Map<Path, Path> open = new TreeMap<>(Map.of(Path.of(""), file));
        Deque<Map.Entry<Path, Path>> users = new ArrayDeque<>(open.entrySet());
        while (!users.isEmpty()) {
            Map.Entry<Path, Path> user = users.remove();
            ElfFile elf = ElfFile.read(user.getValue())
                    .orElseThrow(() -> new ExplainedException(user.getValue() + " is not an ELF file. Replace it."));
            for (String name : elf.needed()) {
                Optional<Map.Entry<Path, Path>> library = beside(user, elf, name);
                if (library.isPresent()
                        && found.putIfAbsent(
                                        library.get().getKey(), library.get().getValue())
                                == null) {
                    users.add(library.get());
                }
            }
        }
        return found;
    }

    /** Keys are relative to the directory of the program, values are files. */
    private static Optional<Map.Entry<Path, Path>> beside(Map.Entry<Path, Path> user, ElfFile elf, String name) {
        for (String directory : elf.ownPath()) {
            Path source = user.getValue().resolveSibling(directory).resolve(name);
            if (Files.isRegularFile(source)) {
                Path place = user.getKey().resolveSibling(directory).resolve(name);
                return Optional.of(Map.entry(place.normalize(), source));
            }
        }
        return Optional.empty();
    }
}
