// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The guest kernel.
 *
 * @param elf its ELF file
 * @param version or {@code custom} for one given by the user
 * @param origin for the manifest
 */
public record Kernel(byte[] elf, String version, String origin) {

    /** The group of its artifacts: the kernel, and its symbols. */
    public static final String GROUP = "io.github.javaunikernel";

    private static final String RESOURCES = "/io/github/javaunikernel/kernel/";
    /** ELF, 64 bits, little-endian (elf(5)). */
    private static final byte[] MAGIC = {0x7F, 'E', 'L', 'F', 2, 1};
    /**
     * The note by which a Xen host sees which system it starts: its owner, type XEN_ELFNOTE_GUEST_OS (Xen's elfnote.h)
     * and the kernel's name (guest-kernel, platform/xenpv/entry.S), each padded to 4 bytes as elf(5) describes.
     */
    private static final String IDENTITY = "\4\0\0\0\12\0\0\0\6\0\0\0Xen\0unikernel\0";

    private static final Pattern CALL = Pattern.compile("(?m)^SYSTEM_CALL\\(\\d+, (\\w+)\\)");
    private static final Pattern ERROR = Pattern.compile("(?m)^#define (E[A-Z0-9]+) \\d+$");

    /** The kernel that comes with the plugin. */
    public static Kernel builtIn() throws IOException {
        try (InputStream in = resource("unikernel.elf")) {
            return new Kernel(in.readAllBytes(), builtInVersion(), builtInOrigin());
        }
    }

    /** The origin of everything that comes with the plugin's kernel, for the manifest. */
    public static String builtInOrigin() throws IOException {
        return "maven:" + GROUP + ":guest-kernel:" + builtInVersion();
    }

    private static String builtInVersion() throws IOException {
        Properties properties = new Properties();
        try (InputStream in = resource("kernel.properties")) {
            properties.load(in);
        }
        return properties.getProperty("version");
    }

    /** The commit of the kernel's sources, if it comes with the plugin and was built in a clone. */
    public Optional<String> commit() throws IOException {
        if (!origin.equals(builtInOrigin())) {
            return Optional.empty();
        }
        try (InputStream in = resource("unikernel.commit")) {
            return Optional.of(new String(in.readAllBytes(), StandardCharsets.US_ASCII).strip())
                    .filter(commit -> !commit.isEmpty());
        }
    }

    /**
     * The ELF file with the debug information of the kernel that comes with the plugin. It is in an artifact of its
     * own, which must be on the class path.
     */
    public static byte[] builtInSymbols() throws IOException {
        try (InputStream in = resource("unikernel.debug")) {
            return in.readAllBytes();
        }
    }

    /** The names of the system calls that the kernel knows. */
    static Set<String> callNames() throws IOException {
        return names("syscall_names.h", CALL);
    }

    /** The names of the errors that system calls of the kernel fail with. */
    static Set<String> errorNames() throws IOException {
        return names("errno.h", ERROR);
    }

    private static Set<String> names(String header, Pattern definition) throws IOException {
        try (InputStream in = resource(header)) {
            return definition
                    .matcher(new String(in.readAllBytes(), StandardCharsets.US_ASCII))
                    .results()
                    .map(name -> name.group(1))
                    .collect(Collectors.toSet());
        }
    }

    /** A kernel from a file. */
    public static Kernel of(Path file) throws SettingException, IOException {
        if (!Files.isRegularFile(file)) {
            throw new SettingException(
                    "kernel",
                    "There is no file " + file + ".",
                    "Correct the path, or leave it out" + " to use the kernel that comes with the plugin.");
        }
        byte[] elf = Files.readAllBytes(file);
        if (elf.length < 64 || !Arrays.equals(elf, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
            throw new SettingException(
                    "kernel",
                    file + " is not a 64-bit ELF file.",
                    "Name the kernel's ELF file, or" + " leave it out to use the kernel that comes with the plugin.");
        }
        if (!new String(elf, StandardCharsets.ISO_8859_1).contains(IDENTITY)) {
            throw new SettingException(
                    "kernel",
                    file + " is an ELF file, but not one of this guest kernel.",
                    "Name the file unikernel.elf that 'make -C guest-kernel' writes, or leave it out to use the kernel"
                            + " that comes with the plugin.");
        }
        return new Kernel(elf, "custom", "file:" + file.getFileName());
    }

    static InputStream resource(String name) throws IOException {
        InputStream in = Kernel.class.getResourceAsStream(RESOURCES + name);
        if (in == null) {
            throw new ExplainedException("The plugin's kernel is missing: no " + RESOURCES + name
                    + " on its class path. Install the plugin again with all its dependencies.");
        }
        return in;
    }
}
