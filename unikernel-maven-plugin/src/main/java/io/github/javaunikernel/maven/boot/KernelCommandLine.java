// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The options of the guest kernel, separated by spaces.
 *
 * @param text as it stands after the kernel in menu.lst and as {@code extra} in the Xen configuration
 */
public record KernelCommandLine(String text) {

    private static final String ROOT = " root=UUID=";
    private static final int ROOT_BYTES =
            ROOT.length() + new UUID(0, 0).toString().length();
    /** Xen hands a PV guest 1024 bytes with the terminator (MAX_GUEST_CMDLINE in xen/include/public/xen.h). */
    private static final int MAX_BYTES = 1023 - ROOT_BYTES;

    private static final String PARAMETER = "kernelOptions";
    private static final String KEEP = "crash=keep";
    private static final List<String> WORDS = List.of(
            "quiet",
            "verbose",
            "timings",
            "nokaslr",
            "lockstat=1",
            KEEP,
            "mitigations=auto",
            "mitigations=off",
            "mitigations=on");
    private static final String CONFIGURATION = "conf=";
    private static final String TRACE = "trace=";
    private static final String IPV6 = "ipv6=";
    /** What the kernel takes at most: CAPTURE_MOST in net/capture.h, PROFILE_HZ_MOST in threads/profile.h. */
    private static final Map<String, Integer> MOST = Map.of("capture", 65535, "profile", 10000);

    private static final Pattern NUMBERED = Pattern.compile("(capture|profile)=([1-9][0-9]{0,4})");
    private static final Pattern PREFIXED = Pattern.compile("([0-9a-fA-F:.]{2,45})/([0-9]{1,3})");

    /** Reads and checks options. */
    public static KernelCommandLine parse(String options) throws SettingException, IOException {
        String text = options.strip().replaceAll("\\s+", " ");
        int length = text.getBytes(StandardCharsets.UTF_8).length;
        if (length > MAX_BYTES) {
            throw new SettingException(
                    PARAMETER,
                    "The kernel command line has " + length + " bytes; at most " + MAX_BYTES + " are possible.",
                    "Shorten it; put arguments of the application into 'arguments'.");
        }
        if (!text.matches("[\\x20-\\x7E]*") || text.contains("\"")) {
            throw new SettingException(
                    PARAMETER,
                    "The kernel command line '" + text + "' has characters that boot loaders do not take.",
                    "Use plain ASCII without quotes.");
        }
        for (String option : text.isEmpty() ? new String[0] : text.split(" ")) {
            check(option);
        }
        return new KernelCommandLine(text);
    }

    private static void check(String option) throws SettingException, IOException {
        boolean known = WORDS.contains(option)
                || option.matches(NUMBERED.pattern() + "|conf=/.+|trace=.+|ipv6=(no|random|.+/.+)");
        if (!known) {
            throw new SettingException(
                    PARAMETER,
                    "The kernel has no option '" + option + "'.",
                    "Use quiet, verbose, timings, trace=all, trace=NAME,NAME, capture=BYTES, profile=HZ,"
                            + " lockstat=1, crash=keep, mitigations=auto, mitigations=off, mitigations=on, ipv6=no,"
                            + " ipv6=random, ipv6=ADDRESS/PREFIX, nokaslr or conf=/PATH.");
        }
        Matcher numbered = NUMBERED.matcher(option);
        if (numbered.matches() && Integer.parseInt(numbered.group(2)) > MOST.get(numbered.group(1))) {
            throw new SettingException(
                    PARAMETER,
                    "'" + option + "' is more than the kernel takes.",
                    "Give at most " + MOST.get(numbered.group(1)) + ".");
        }
        if (option.startsWith(TRACE)) {
            checkTraced(List.of(option.substring(TRACE.length()).split(",", -1)));
        }
        if (option.startsWith(IPV6) && option.contains("/")) {
            checkAddress(option.substring(IPV6.length()));
        }
    }

    private static void checkAddress(String text) throws SettingException {
        Matcher matcher = PREFIXED.matcher(text);
        if (!matcher.matches()
                || Integer.parseInt(matcher.group(2)) > 128
                || Integer.parseInt(matcher.group(2)) < 1
                || !isOfHost(matcher.group(1))) {
            throw new SettingException(
                    PARAMETER,
                    "'" + text + "' is not an address of IPv6 that a machine in a network can have, with the length of"
                            + " its prefix.",
                    "Use a form such as ipv6=2001:db8::2/64, or ipv6=no for none.");
        }
    }

    /**
     * As the kernel has it (net_parse_ipv6 in net/net.c). In brackets a text is never taken for a name to be looked up;
     * an address of IPv4 in the form of IPv6 becomes one of IPv4.
     */
    private static boolean isOfHost(String text) {
        try {
            InetAddress address = InetAddress.getByName("[" + text + "]");
            return address instanceof Inet6Address
                    && !address.isAnyLocalAddress()
                    && !address.isLoopbackAddress()
                    && !address.isMulticastAddress()
                    && !address.isLinkLocalAddress();
        } catch (UnknownHostException e) {
            return false;
        }
    }

    private static void checkTraced(List<String> names) throws SettingException, IOException {
        Set<String> calls = Kernel.callNames();
        Set<String> errors = Kernel.errorNames();
        for (String name : names) {
            if (!name.equals("all") && !calls.contains(name) && !errors.contains(name)) {
                throw new SettingException(
                        PARAMETER,
                        "There is no system call and no error '" + name + "' to trace.",
                        "Use trace=all, or names as in strace, such as trace=openat,futex or trace=EINVAL.");
            }
        }
    }

    /** These options and the word that names the root file system. */
    public KernelCommandLine withRoot(UUID root) {
        return new KernelCommandLine((text + ROOT + root).strip());
    }

    /** Whether a machine that crashed stays, for a dump of its memory. */
    public boolean keepsCrashed() {
        return List.of(text.split(" ")).contains(KEEP);
    }

    /** The guest's configuration file, if it is not the usual one. */
    public Optional<String> configuration() {
        return Stream.of(text.split(" "))
                .filter(option -> option.startsWith(CONFIGURATION))
                .map(option -> option.substring(CONFIGURATION.length()))
                .reduce((first, last) -> last);
    }
}
