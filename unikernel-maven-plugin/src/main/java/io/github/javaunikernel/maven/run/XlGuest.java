// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A guest of the Xen host that this is. It ends with this JVM at the latest. */
public final class XlGuest implements Guest {

    /** A line says that the domain has ended by itself; the end of the lifeline without one, that this JVM has. */
    private static final String LIFELINE = "read -r ended <&3 || xl destroy '%s' >&2";
    /** Far longer than the script below takes to end when there is no domain any more. */
    private static final int SECONDS_TO_END = 10;

    /**
     * Runs a domain to its end; its name comes first, then a file with its configuration, which is deleted, and perhaps
     * a file with the memory to go on from. Standard output is its console. Standard error first has a line when there
     * is a domain, then what its kernel reports. A domain that has shut down stays until its last reports are read:
     * that it has ended may be seen before they are announced, since the end of any domain has all looked at. One that
     * is being saved (reason 2) has not ended. The watches are there before the domain runs.
     */
    private static final String SCRIPT = """
            domain=$1 config=$2 memory=$3
            exec 3>&2 2>&1
            report() {
                number=$(xenstore-read "$reports/$1" 2>/dev/null) && echo "$1 $number" >&3
            }
            if [ -n "$memory" ]; then xl restore -p "$config" "$memory"; else xl create -p "$config"; fi
            made=$?
            rm -f "$config"
            [ $made = 0 ] || exit $made
            echo made >&3
            reports=/local/domain/$(xl domid "$domain")/data/unikernel
            {
                xenstore-watch @releaseDomain "$reports" 3>&- &
                echo $!
                wait
            } | {
                read -r watch
                read -r event
                xl unpause "$domain"
                reason=-
                while case $reason in - | 2) ;; *) false ;; esac && read -r event; do
                    case $event in
                    @releaseDomain) reason=$(xl list -v "$domain" 2>/dev/null | awk 'NR == 2 { print $8 }') ;;
                    "$reports"/exit | "$reports"/killed) ;;
                    "$reports"/*) report "${event##*/}" ;;
                    esac
                done
                report exit
                report killed
                kill "$watch"
                [ -z "$reason" ] || xl destroy "$domain"
                [ "$reason" != 3 ] || exit %d
            } &
            xl console "$domain"
            wait $!
            """;

    private final Xl xl;
    private final String domain;
    private final Process process;
    private final Console console;
    private final Reports reports;

    private XlGuest(Xl xl, String domain, Process process, Console console, Reports reports) {
        this.xl = xl;
        this.domain = domain;
        this.process = process;
        this.console = console;
        this.reports = reports;
    }

    /**
     * Creates a domain, and returns when there is one, or when that has failed, which its end and its console explain.
     *
     * @param memory a file that {@link #save} has written, from which the domain goes on; or empty for a boot
     */
    public static XlGuest start(Xl xl, XlDomain domain, Optional<Path> memory, Console console) throws IOException {
        Path config = domain.write();
        List<String> words = new ArrayList<>(List.of(
                "sh",
                "-c",
                String.format(SCRIPT, GuestEnd.PANIC),
                "unikernel",
                domain.name(),
                config.toString(),
                memory.map(Path::toString).orElse("")));
        try {
            Process process = Supervised.start(words, String.format(LIFELINE, domain.name()), xl.searchPath());
            BuiltImage image = domain.image();
            XlGuest guest =
                    new XlGuest(xl, domain.name(), process, console, new Reports(image.debugPort(), image.jmxPort()));
            guest.follow();
            return guest;
        } catch (IOException e) {
            Files.deleteIfExists(config);
            throw e;
        }
    }

    private void follow() throws IOException {
        console.follow(process.getInputStream());
        console.ended().whenComplete((nothing, problem) -> endLifeline());
        InputStream reported = process.getErrorStream();
        for (int c = reported.read(); c >= 0 && c != '\n'; c = reported.read()) {}
        reports.follow(reported);
    }

    @Override
    public Console console() {
        return console;
    }

    @Override
    public Reports reports() {
        return reports;
    }

    /** Writes the memory of the domain, which stops meanwhile and then goes on, into a file that is there already. */
    public void save(Path file) throws IOException {
        xl.run("save", "-c", domain, file.toString());
    }

    @Override
    public void shutDown() throws IOException {
        xl.run("shutdown", domain);
    }

    /** One that has just ended by itself cannot be destroyed. */
    @Override
    public void kill() throws IOException {
        if (!process.isAlive()) {
            return;
        }
        try {
            xl.run("destroy", domain);
        } catch (ExplainedException e) {
            if (!endsSoon()) {
                throw e;
            }
        }
    }

    private boolean endsSoon() {
        try {
            return process.waitFor(SECONDS_TO_END, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Override
    public GuestEnd await() throws InterruptedException {
        int status = process.waitFor();
        console.ended().exceptionally(problem -> null).join();
        reports.ended().exceptionally(problem -> null).join();
        return new GuestEnd(console, reports, status);
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
