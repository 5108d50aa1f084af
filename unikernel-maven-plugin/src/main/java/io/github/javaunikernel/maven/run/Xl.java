// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The Xen host that this machine is.
 *
 * @param searchPath directories with its programs, as in the environment variable PATH
 */
public record Xl(String searchPath) {

    private static final List<String> PROGRAMS = List.of("xl", "xenstore-watch", "xenstore-read");
    /** A line of {@code xl info}. */
    private static final Pattern VERSION = Pattern.compile("(?m)^xen_version\\s*:\\s*(\\S+)$");

    /**
     * Refuses a machine that is no Xen host.
     *
     * @param parameter that has asked for one
     */
    public void require(String parameter) throws SettingException {
        for (String program : PROGRAMS) {
            if (Programs.find(program, searchPath).isEmpty()) {
                throw new SettingException(
                        parameter,
                        "There is no " + program + " on the PATH.",
                        "Run on a Xen host, as root, or leave the parameter out to use QEMU.");
            }
        }
    }

    /** Xen's version. */
    String version() throws IOException {
        Matcher version = VERSION.matcher(run("info"));
        if (!version.find()) {
            throw new ExplainedException(
                    "'xl info' does not say which version of Xen this is. Repair the installation.");
        }
        return version.group(1);
    }

    /**
     * Runs xl with these words; returns what it prints. Fails when it does. Ctrl-C on the terminal does not reach xl,
     * which would leave a domain suspended that it saves.
     */
    String run(String... words) throws IOException {
        List<String> command = new ArrayList<>(HostFamily.current().ownSession());
        command.add(Programs.find("xl", searchPath).map(Path::toString).orElse("xl"));
        command.addAll(List.of(words));
        try {
            Process xl = new ProcessBuilder(command).redirectErrorStream(true).start();
            xl.getOutputStream().close();
            String output = new String(xl.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (xl.waitFor() != 0) {
                throw new ExplainedException("'xl " + String.join(" ", words) + "' fails: " + output
                        + "\nSee with 'xl list' whether the domain is still there.");
            }
            return output;
        } catch (ExplainedException e) {
            throw e;
        } catch (IOException e) {
            throw new ExplainedException(
                    "xl cannot be run: " + FileTrouble.reason(e)
                            + ". See with 'xl list' whether the domain is still there.",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ExplainedException(
                    "'xl " + String.join(" ", words)
                            + "' was not waited for. See with 'xl list' what has become of it.",
                    e);
        }
    }
}
