// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KernelCommandLineTest {

    /**
     * What the kernel's own message lists, without what belongs to one start (env.NAME=) and what the plugin adds
     * (root=UUID=).
     */
    private static List<String> optionsOfTheKernel() throws IOException {
        String source = Files.readString(Path.of("../guest-kernel/src/main/c/linux/configuration.c"))
                .replaceAll("\"\\s+\"", "");
        Matcher list = Pattern.compile("known are ([^\"]*)\"").matcher(source);
        assertTrue(list.find(), "the kernel lists its options");
        List<String> options = new ArrayList<>(List.of(list.group(1).split(" ")));
        assertTrue(options.removeAll(List.of("env.NAME=", "root=UUID=")));
        return options;
    }

    @Test
    void everyOptionOfTheKernelCanBeSet() throws IOException, SettingException {
        for (String option : optionsOfTheKernel()) {
            String complete = switch (option) {
                case "trace=" -> "trace=all";
                case "capture=" -> "capture=128";
                case "profile=" -> "profile=99";
                case "lockstat=" -> "lockstat=1";
                case "conf=" -> "conf=/etc/other.conf";
                case "mitigations=" -> "mitigations=off";
                case "ipv6=" -> "ipv6=2001:db8::2/64";
                default -> option;
            };
            assertEquals(complete, KernelCommandLine.parse(complete).text());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ipv6=no", "ipv6=random", "quiet ipv6=random verbose"})
    void ipv6NeedsNoAddress(String text) throws IOException, SettingException {
        assertEquals(text, KernelCommandLine.parse(text).text());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ipv6=2001:db8::2/129",
                "ipv6=2001:db8::2/0",
                "ipv6=2001:db8::2::3/64",
                "ipv6=10.0.0.1/24",
                "ipv6=example.org/64",
                "ipv6=::/64",
                "ipv6=::1/64",
                "ipv6=fe80::1/64",
                "ipv6=ff02::1/64",
                "ipv6=::ffff:10.0.0.1/64"
            })
    void anAddressIsChecked(String option) {
        SettingException e = assertThrows(SettingException.class, () -> KernelCommandLine.parse(option));
        assertTrue(e.getMessage().contains("is not an address of IPv6"), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "loud",
                "capture=",
                "capture=0",
                "capture=all",
                "profile=",
                "profile=0",
                "mitigations=some",
                "ipv6=",
                "ipv6=yes",
                "ipv6=2001:db8::2",
                "mitigations",
                "trace",
                "env.A=b",
                "quiet=yes",
                "nokaslr=1"
            })
    void otherOptionsAreRefusedAndTheKnownOnesNamed(String option) {
        SettingException refused =
                assertThrows(SettingException.class, () -> KernelCommandLine.parse("quiet " + option));
        assertTrue(refused.getMessage().contains("'" + option + "'"), refused.getMessage());
        assertTrue(refused.getMessage().contains("mitigations=off"), refused.getMessage());
    }

    /** The kernel panics with more: the image would not start. */
    @Test
    void numbersAreThoseThatTheKernelTakes() throws Exception {
        for (String most : List.of(
                "capture=" + limit("net/capture.h", "CAPTURE_MOST"),
                "profile=" + limit("threads/profile.h", "PROFILE_HZ_MOST"))) {
            assertEquals(most, KernelCommandLine.parse(most).text());
            String more = most.split("=")[0] + "=" + (Integer.parseInt(most.split("=")[1]) + 1);
            SettingException e = assertThrows(SettingException.class, () -> KernelCommandLine.parse(more));
            assertTrue(e.getMessage().startsWith("'" + more + "' is more than the kernel takes."), e.getMessage());
        }
    }

    private static int limit(String header, String name) throws IOException {
        Matcher definition = Pattern.compile("#define " + name + " (\\d+)u")
                .matcher(Files.readString(Path.of("../guest-kernel/src/main/c", header)));
        assertTrue(definition.find(), name);
        return Integer.parseInt(definition.group(1));
    }

    @Test
    void theRootIsTheLastWord() throws Exception {
        UUID root = UUID.fromString("01234567-89ab-8def-8123-456789abcdef");
        assertEquals(
                "quiet root=UUID=" + root,
                KernelCommandLine.parse("quiet").withRoot(root).text());
        assertEquals(
                "root=UUID=" + root, KernelCommandLine.parse("").withRoot(root).text());
        String longest = "conf=/" + "x".repeat(976 - 6);
        assertEquals(
                1023, KernelCommandLine.parse(longest).withRoot(root).text().length());
    }

    @Test
    void blanksAreJoined() throws Exception {
        assertEquals(
                "quiet timings", KernelCommandLine.parse("  quiet \n timings ").text());
    }
}
