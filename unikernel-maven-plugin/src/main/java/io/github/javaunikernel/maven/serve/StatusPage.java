// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.html.Html;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The front door's state for people to read. The page loads itself again every few seconds, without any script. */
final class StatusPage {

    private static final String RELOAD = "<meta http-equiv=\"refresh\" content=\"5\">";

    private StatusPage() {}

    static String of(Status status) throws IOException {
        Html page =
                Html.page("unikernel:serve", "td { white-space: pre-line; }").markup(RELOAD);
        page.element("h1", "unikernel:serve");
        page.table(List.of("Front door", "Value"), frontDoor(status));
        page.element("h2", "Instances");
        if (status.instances().isEmpty()) {
            page.paragraph("There is none. The next connection starts one.");
        } else {
            page.table(columns("Leads to"), rows(status.instances()));
        }
        page.element("h2", "Ended instances");
        if (status.ended().isEmpty()) {
            page.paragraph("There is none yet.");
        } else {
            page.table(columns("How it ended"), rows(status.ended()));
        }
        page.paragraph("The same as data: `/status.json`.");
        return page.end().toString();
    }

    private static List<List<String>> frontDoor(Status status) {
        return List.of(
                List.of("State", status.state()),
                List.of(
                        "Ports",
                        String.join(
                                ", ",
                                status.ports().stream().map(String::valueOf).toList())),
                List.of("Instances", "at least " + status.min() + ", at most " + status.max()),
                List.of("Stopped without a connection after", status.idleSeconds() + " s"),
                List.of("Connections accepted", String.valueOf(status.connections())),
                List.of("Connections that wait for an instance", String.valueOf(status.waiting())),
                List.of("Connections closed without an instance", String.valueOf(status.rejected())),
                List.of("Starts", String.valueOf(status.starts())),
                List.of("Failures", String.valueOf(status.failures())));
    }

    private static List<String> columns(String last) {
        return List.of(
                "Number#",
                "State",
                "Open#",
                "In all#",
                "Started",
                "Start",
                "Ready after#",
                "First answer after#",
                last);
    }

    private static List<List<String>> rows(List<Status.Machine> machines) {
        List<List<String>> rows = new ArrayList<>();
        for (Status.Machine machine : machines) {
            rows.add(List.of(
                    String.valueOf(machine.number()),
                    machine.state(),
                    String.valueOf(machine.connections()),
                    String.valueOf(machine.connectionsInAll()),
                    machine.started(),
                    machine.start() == null ? "" : machine.start(),
                    seconds(machine.secondsToReady()),
                    seconds(machine.secondsToFirstAnswer()),
                    machine.end() == null ? String.join(", ", machine.addresses()) : machine.end()));
        }
        return rows;
    }

    private static String seconds(Double time) {
        return time == null ? "" : String.format(Locale.ROOT, "%.2f s", time);
    }
}
