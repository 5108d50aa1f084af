// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The system calls that a kernel refused to a program because it lacks something, such as an option of sockets. Those
 * of a guest are what {@code trace=} prints, those of Linux what strace does. Calls that differ only in arguments that
 * do not select what is done, such as descriptors and addresses, count as one. Immutable.
 */
final class Refusals {

    private static final List<String> ERRORS = List.of(
            "ENOSYS",
            "EINVAL",
            "ENOTTY",
            "EPERM",
            "ENODEV",
            "ENOPROTOOPT",
            "EPROTONOSUPPORT",
            "ESOCKTNOSUPPORT",
            "EOPNOTSUPP",
            "EPFNOSUPPORT",
            "EAFNOSUPPORT");

    /** The positions of the arguments that select what a call does. */
    private static final Map<String, List<Integer>> SELECTORS = Map.ofEntries(
            Map.entry("setsockopt", List.of(1, 2)),
            Map.entry("getsockopt", List.of(1, 2)),
            Map.entry("socket", List.of(0, 1, 2)),
            Map.entry("socketpair", List.of(0, 1, 2)),
            Map.entry("clone", List.of(0)),
            Map.entry("ioctl", List.of(1)),
            Map.entry("fcntl", List.of(1)),
            Map.entry("prctl", List.of(0)),
            Map.entry("arch_prctl", List.of(0)),
            Map.entry("futex", List.of(1)),
            Map.entry("madvise", List.of(2)),
            Map.entry("membarrier", List.of(0)),
            Map.entry("fallocate", List.of(1)),
            Map.entry("clock_gettime", List.of(0)));

    /** What the kernel does not offer on purpose, where programs go on without it. */
    private static final Map<String, String> INTENDED = Map.of(
            "rseq() ENOSYS", "glibc finds the CPU of a thread in other ways",
            "clone3() ENOSYS", "a second process, by posix_spawn(3); its threads come by clone3(2), too",
            "clone(16657) ENOSYS", "the same: CLONE_VM, CLONE_VFORK and SIGCHLD",
            "io_uring_setup() ENOSYS", "left out, as where Linux forbids it; frameworks take epoll");

    /** {@code unikernel: trace 18 ioctl(fd=1, request=0x5401, argument=0x7f…) = -25 ENOTTY}. */
    private static final Pattern OF_GUEST =
            Pattern.compile("unikernel: trace \\d+ (?<call>\\w+)\\((?<arguments>.*)\\) = -\\d+ (?<error>E\\w+)");

    /** {@code 2668 ioctl(0x1, 0x5401, 0x7f…) = -1 ENOTTY (Inappropriate ioctl for device)}. */
    private static final Pattern OF_STRACE =
            Pattern.compile("\\d+ +(?<call>\\w+)\\((?<arguments>.*)\\) += -1 (?<error>E\\w+) .*");

    private final Set<String> refusals;

    private Refusals(Set<String> refusals) {
        this.refusals = refusals;
    }

    /** What has to be among the kernel's options of an image. */
    static String kernelOption() {
        return "trace=" + String.join(",", ERRORS);
    }

    /** What a guest whose kernel had that option printed. */
    static Refusals ofGuest(List<String> console) {
        return new Refusals(read(console.stream(), OF_GUEST));
    }

    /** What a program that {@link #underStrace} started wrote into the log. */
    static Refusals ofStrace(Path log) throws IOException {
        try (Stream<String> lines = Files.lines(log)) {
            return new Refusals(read(lines, OF_STRACE));
        }
    }

    private static Set<String> read(Stream<String> lines, Pattern pattern) {
        return lines.map(pattern::matcher)
                .filter(Matcher::matches)
                .filter(line -> ERRORS.contains(line.group("error")))
                .map(Refusals::describe)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** For example {@code setsockopt(6, 18) ENOPROTOOPT}. */
    private static String describe(Matcher line) {
        String[] arguments = line.group("arguments").split(", ");
        return SELECTORS.getOrDefault(line.group("call"), List.of()).stream()
                .map(position -> number(arguments[position]))
                .collect(Collectors.joining(", ", line.group("call") + "(", ") " + line.group("error")));
    }

    /** Of {@code request=0x5401} or {@code 0x5401}, in 32 bits, as these arguments have. */
    private static String number(String argument) {
        return Integer.toString(
                Long.decode(argument.substring(argument.indexOf('=') + 1)).intValue());
    }

    /**
     * The command that starts a program on Linux with a log of what is refused to it, of the calls in this list alone.
     * The program is the process that is started, not strace, so that it gets the signals.
     */
    List<String> underStrace(Path log, List<String> command) {
        String calls = refusals.stream()
                .map(refusal -> refusal.substring(0, refusal.indexOf('(')))
                .distinct()
                .collect(Collectors.joining(","));
        String options = "-D -f --seccomp-bpf -qq -e signal=none -e status=failed -e raw=all -e trace="
                + (calls.isEmpty() ? "none" : calls);
        return Stream.of(Stream.of("strace", "-o", log.toString()), Arrays.stream(options.split(" ")), command.stream())
                .flatMap(words -> words)
                .toList();
    }

    /** What is refused here and not there, but for what is intended. */
    Set<String> without(Refusals others) {
        Set<String> left = new TreeSet<>(refusals);
        left.removeAll(others.refusals);
        left.removeAll(INTENDED.keySet());
        return left;
    }
}
