// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** A guest of the Xen host that this is. It ends with this JVM at the latest. */
public final class XlGuest implements Guest {

    private static final List<String> PROGRAMS = List.of("xl", "xenstore-watch", "xenstore-read");
    /** A line says that the domain has ended by itself; the end of the lifeline without one, that this JVM has. */
    private static final String LIFELINE = "read -r ended <&3 || xl destroy '%s' >&2";

    /**
     * Runs a domain to its end; its name comes first, then the words for xl create. Standard output is its console,
     * standard error what its kernel reports. A domain that has shut down stays until its reports are read. The watch
     * is there before the domain runs; its first line says so, each further one that some domain has ended.
     */
    private static final String SCRIPT = """
            domain=$1
            shift
            exec 3>&2 2>&1
            xl create -p "$@" 'on_poweroff="preserve"' 'on_reboot="preserve"' 'on_crash="preserve"' || exit
            reports=/local/domain/$(xl domid "$domain")/data/unikernel
            {
                xenstore-watch @releaseDomain 3>&- &
                echo $!
                wait
            } | {
                read -r watch
                read -r event
                xl unpause "$domain"
                state=-
                while case $state in '' | *[sd]*) false ;; esac && read -r event; do
                    state=$(xl list "$domain" 2>/dev/null | awk 'NR == 2 { print $5 }')
                done
                for event in exit killed; do
                    number=$(xenstore-read "$reports/$event" 2>/dev/null) && echo "$event $number" >&3
                done
                kill "$watch"
                xl destroy "$domain"
                case $state in *c*) exit %d ;; esac
            } &
            xl console "$domain"
            wait $!
            """;

    private final String domain;
    private final Process process;
    private final Console console;
    private final Reports reports = new Reports(0, 0);

    private XlGuest(String domain, Process process, Console console) {
        this.domain = domain;
        this.process = process;
        this.console = console;
        console.follow(process.getInputStream());
        reports.follow(process.getErrorStream());
        console.ended().whenComplete((nothing, problem) -> endLifeline());
    }

    /**
     * Creates the domain that the image's configuration describes.
     *
     * @param memory in MiB, or empty for that of the configuration
     */
    public static XlGuest start(BuiltImage image, OptionalInt memory, String searchPath, Console console)
            throws IOException, SettingException {
        for (String program : PROGRAMS) {
            require(program, searchPath);
        }
        List<String> words = new ArrayList<>(List.of(
                "sh",
                "-c",
                String.format(SCRIPT, GuestEnd.PANIC),
                "unikernel",
                image.name(),
                image.xenConfig().toString()));
        memory.ifPresent(mebibytes -> words.add("memory=" + mebibytes));
        Process process = Supervised.start(words, String.format(LIFELINE, image.name()));
        return new XlGuest(image.name(), process, console);
    }

    private static void require(String program, String searchPath) throws SettingException {
        if (Programs.find(program, searchPath).isEmpty()) {
            throw new SettingException(
                    "run.with",
                    "There is no " + program + " on the PATH.",
                    "Run on a Xen host, as root, or leave the parameter out to use QEMU.");
        }
    }

    @Override
    public Console console() {
        return console;
    }

    @Override
    public Reports reports() {
        return reports;
    }

    @Override
    public void shutDown() throws IOException {
        xl("shutdown");
    }

    @Override
    public void kill() throws IOException {
        xl("destroy");
    }

    @Override
    public GuestEnd await() throws InterruptedException {
        int status = process.waitFor();
        console.ended().exceptionally(problem -> null).join();
        reports.ended().exceptionally(problem -> null).join();
        return new GuestEnd(console, reports, status);
    }

    private void xl(String command) throws IOException {
        try {
            Process xl = new ProcessBuilder("xl", command, domain)
                    .redirectErrorStream(true)
                    .start();
            xl.getOutputStream().close();
            String output = new String(xl.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            if (xl.waitFor() != 0) {
                throw new ExplainedException("'xl " + command + " " + domain + "' fails: " + output
                        + "\nSee with 'xl list' whether the domain is still there.");
            }
        } catch (ExplainedException e) {
            throw e;
        } catch (IOException e) {
            throw new ExplainedException(
                    "xl cannot be run: " + FileTrouble.reason(e)
                            + ". See with 'xl list' whether the domain is still there.",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void endLifeline() {
        try {
            process.getOutputStream().write('\n');
            process.getOutputStream().close();
        } catch (IOException e) {
            // The shell that holds the lifeline ended before, so there is nothing left to tell it.
            process.destroy();
        }
    }
}
