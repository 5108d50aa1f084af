// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * What the plugin takes for granted of this machine holds on Linux, macOS and Windows alike. The test reads class
 * files: the names of places, programs and sockets in their constants, and calls that do not work or mean something
 * else on another system. The guest has Linux's paths whatever the machine is, so packages that make images are free to
 * name them.
 */
class PortabilityTest {

    /** Packages that work with this machine's files and programs; the goals are in the one without a name. */
    private static final Set<String> OF_THIS_MACHINE = Set.of("", "run", "serve", "dev", "settings");

    /**
     * A place, a program or a socket that not every system has, and what Linux has between the parts of a class path.
     */
    private static final Pattern UNIX =
            Pattern.compile("^(/(dev|proc|tmp|usr|etc|sbin|bin|sys|opt)(/\\S*)?|sh|bash|kill|chmod|setsid|cat|which|env"
                    + "|exec:.*|file,.*path=/dev/.*|rng-random.*|:)$");

    /** Calls that no class but the ones below may make. */
    private static final Pattern CALLS =
            Pattern.compile("java/nio/file/attribute/Posix.*|java/nio/file/Files\\.(isExecutable|[gs]etPosix.*"
                    + "|createSymbolicLink|createLink)|java/io/File\\.setExecutable|java/io/File\\.canExecute"
                    + "|java/lang/System\\.lineSeparator|java/io/PrintWriter\\.println|java/io/BufferedWriter\\.newLine"
                    + "|sun/misc/Signal\\.<init>");

    /** Calls without the argument that keeps the language and the encoding of the system out of the result. */
    private static final Pattern DEFAULTS =
            Pattern.compile("java/lang/String\\.(toLowerCase|toUpperCase|getBytes)\\(\\).*|java/io/File(Reader|Writer)"
                    + "\\.<init>\\(L[^;]*;\\)V|java/io/(InputStreamReader|OutputStreamWriter|PrintStream)"
                    + "\\.<init>\\(Ljava/io/(In|Out)putStream;\\)V|java/nio/charset/Charset\\.defaultCharset.*");

    /** Who may, what, and why it is right on every system. */
    private static final Map<String, String> ALLOWED = new TreeMap<>(Map.ofEntries(
            Map.entry("run/HostFamily /usr/sbin", "a family's own places"),
            Map.entry("run/HostFamily /sbin", "a family's own places"),
            Map.entry("run/HostFamily /opt/homebrew/bin", "a family's own places"),
            Map.entry("run/HostFamily /usr/local/bin", "a family's own places"),
            Map.entry("run/HostFamily /opt/local/bin", "a family's own places"),
            Map.entry("run/HostFamily /opt/local/sbin", "a family's own places"),
            Map.entry("run/HostFamily /opt/homebrew/opt/e2fsprogs/sbin", "a family's own places"),
            Map.entry("run/HostFamily /usr/local/opt/e2fsprogs/sbin", "a family's own places"),
            Map.entry("InspectMojo cat", "a word of the goal itself"),
            Map.entry("run/HostFamily setsid", "Linux has it"),
            Map.entry("run/Supervised sh", "Windows has a JVM in its place"),
            Map.entry(
                    "run/Supervisor java/nio/charset/Charset.defaultCharset()Ljava/nio/charset/Charset;",
                    "programs of the system write in its encoding"),
            Map.entry(
                    "runtime/Tool java/nio/charset/Charset.defaultCharset()Ljava/nio/charset/Charset;",
                    "programs of the system write in its encoding"),
            Map.entry("run/XlGuest sh", "only Linux is a Xen host"),
            Map.entry("run/Connections :", "between address and port in the guest's /proc/net/tcp"),
            Map.entry("run/Dump$5 /proc/net/tcp", "a file of the guest"),
            Map.entry("run/Dump$5 /proc/net/tcp6", "a file of the guest"),
            Map.entry("run/Accelerator$Host /dev/kvm", "asked for on Linux alone"),
            Map.entry("run/Accelerator$Host /proc/cpuinfo", "asked for on Linux alone"),
            Map.entry("run/MachineIdentity /proc/cpuinfo", "read for kvm alone, which is Linux's"),
            Map.entry("run/Ovmf /usr/share/OVMF", "one of the places, the others are QEMU's own"),
            Map.entry("run/Programs java/nio/file/Files.isExecutable", "Windows asks the file's permissions"),
            Map.entry("run/Qemu java/nio/file/Files.isExecutable", "Windows asks the file's permissions"),
            Map.entry("runtime/JavaHome java/nio/file/Files.isExecutable", "asked for on Linux alone"),
            Map.entry("runtime/Archive java/io/File.setExecutable", "succeeds on Windows without any effect"),
            Map.entry("run/Interrupts sun/misc/Signal.<init>", "INT and TERM are known on every system"),
            Map.entry(
                    "settings/PrivateFiles java/nio/file/attribute/PosixFilePermissions.asFileAttribute", "knows both"),
            Map.entry("settings/PrivateFiles java/nio/file/attribute/PosixFilePermissions.fromString", "knows both")));

    private static final Path CLASSES = Path.of("target/classes/io/github/javaunikernel/maven");

    @Test
    void nothingIsTakenForGrantedThatOnlyUnixHas() throws Exception {
        Set<String> found = new TreeSet<>();
        ClassUses.below(CLASSES).forEach((name, all) -> uses(all).forEach(use -> found.add(name + " " + use)));
        found.removeIf(use -> !isOfThisMachine(use) && !isCall(use));
        assertEquals(
                String.join("\n", new TreeSet<>(ALLOWED.keySet())),
                String.join("\n", found),
                "Put what differs between systems into HostFamily, or say here why it is right on all of them");
    }

    @Test
    void theTestFindsWhatItIsFor() throws Exception {
        try (InputStream in = Breaker.class.getResourceAsStream("PortabilityTest$Breaker.class")) {
            assertEquals(
                    Set.of(
                            "/dev/null",
                            "sh",
                            ":",
                            "java/nio/file/Files.isExecutable",
                            "java/lang/System.lineSeparator",
                            "java/lang/String.toLowerCase()Ljava/lang/String;"),
                    uses(ClassUses.of(in)));
        }
        assertTrue(ALLOWED.values().stream().noneMatch(String::isBlank));
    }

    private static final class Breaker {

        private static List<String> command(Path file) {
            return Files.isExecutable(file)
                    ? List.of("sh", file + System.lineSeparator(), "/dev/null", "no/dev/null", ":", "A".toLowerCase())
                    : List.of();
        }
    }

    private static boolean isOfThisMachine(String use) {
        String name = use.substring(0, use.indexOf(' '));
        int slash = name.lastIndexOf('/');
        return OF_THIS_MACHINE.contains(slash < 0 ? "" : name.substring(0, slash));
    }

    private static boolean isCall(String use) {
        String call = use.substring(use.indexOf(' ') + 1);
        return CALLS.matcher(call).matches() || DEFAULTS.matcher(call).matches();
    }

    private static Set<String> uses(ClassUses all) {
        Set<String> uses = new TreeSet<>();
        all.texts().stream().filter(UNIX.asMatchPredicate()).forEach(uses::add);
        for (String call : all.calls()) {
            String method = call.substring(0, call.indexOf('('));
            if (CALLS.matcher(method).matches()) {
                uses.add(method);
            }
            if (DEFAULTS.matcher(call).matches()) {
                uses.add(call);
            }
        }
        return uses;
    }
}
