// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.report;

import io.github.javaunikernel.maven.boot.KernelDocuments;
import io.github.javaunikernel.maven.html.Html;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The attack surface of a guest: programs, writable places, ports, settings from outside, system calls. */
final class Surface {

    private final ImageManifest manifest;
    private final List<Directive> configuration;
    private final List<Integer> ports;

    /** A line of the guest's configuration. */
    private record Directive(String name, String value) {}

    /**
     * Makes it.
     *
     * @param configuration text of {@code /etc/unikernel.conf}
     * @param ports on which the program listens, as the project says
     */
    Surface(ImageManifest manifest, String configuration, List<Integer> ports) {
        this.manifest = manifest;
        this.configuration = configuration
                .lines()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .map(line -> line.split(" ", 2))
                .map(words -> new Directive(words[0], words.length == 1 ? "" : words[1]))
                .toList();
        this.ports = ports;
    }

    private List<String> values(String directive) {
        return configuration.stream()
                .filter(line -> line.name().equals(directive))
                .map(Directive::value)
                .toList();
    }

    /** Whether the image has a kernel of the user, of which the plugin knows nothing. */
    private boolean isCustom() {
        return manifest.kernel().version().equals("custom");
    }

    void write(Html page) throws IOException {
        page.markup("<section id=\"surface\">").element("h2", "Attack surface");
        page.element("h3", "Programs").list(programs());
        page.element("h3", "Writable places").list(writable());
        page.element("h3", "Ports").list(ports());
        page.element("h3", "Settings from outside").list(outside());
        writeKernel(page);
        page.markup("</section>");
    }

    private List<String> programs() {
        List<String> programs = new ArrayList<>();
        values("exec").forEach(path -> programs.add(Html.code(path) + ", which the kernel starts."));
        programs.add("No other program can be started: the kernel has no fork and no exec.");
        return programs;
    }

    private List<String> writable() {
        List<String> places = new ArrayList<>();
        for (String path : List.of("/tmp", "/run", "/var/tmp")) {
            places.add(Html.code(path) + ", in memory");
        }
        values("writable").forEach(path -> places.add(Html.code(path) + ", in memory, with the files of the image"));
        values("tmpfs").stream().map(Surface::memoryFileSystem).forEach(places::add);
        values("scratch").forEach(path -> places.add(Html.code(path) + ", on a scratch disk"));
        values("data").stream()
                .filter(disk -> !disk.endsWith(" read-only"))
                .map(Surface::dataDisk)
                .forEach(places::add);
        places.add("Everything else is read-only.");
        return places;
    }

    /** A label and a path. */
    private static String dataDisk(String value) {
        String[] words = value.split(" ");
        return Html.code(words[1]) + ", on the data disk " + Html.code(words[0]) + ", which outlives the machine";
    }

    /** A path, and a number of bytes if there is a limit of its own. */
    private static String memoryFileSystem(String value) {
        int blank = value.lastIndexOf(' ');
        return blank < 0
                ? Html.code(value) + ", in memory"
                : Html.code(value.substring(0, blank)) + ", in memory, up to "
                        + ReportPage.size(Long.parseLong(value.substring(blank + 1)));
    }

    private List<String> ports() {
        List<String> open = new ArrayList<>();
        if (manifest.machine().network().equals("none")) {
            return List.of("None: the guest has no network.");
        }
        ports.forEach(
                port -> open.add("TCP " + port + ", of the program, as the parameter " + Html.code("ports") + " says"));
        values("metrics").forEach(port -> open.add("TCP " + port + ", metrics of the kernel, which anyone may read"));
        if (manifest.application().debugPort() != 0) {
            open.add("TCP " + manifest.application().debugPort()
                    + ", the JVM's debugger agent: whoever reaches it controls the program. Leave it out of images"
                    + " that are deployed.");
        }
        if (manifest.application().jmxPort() != 0) {
            open.add("TCP " + manifest.application().jmxPort()
                    + ", the JVM's agent for JMX: whoever passes its authentication controls the program. The JVM then"
                    + " listens on a free port, too, and closes connections that do not come from the guest itself.");
        }
        open.add("The kernel itself answers ARP, ICMP echo and DHCP, and opens no port of its own but those above.");
        return open;
    }

    private List<String> outside() {
        List<String> settings = new ArrayList<>();
        List<String> allowed = values("allow");
        if (allowed.isEmpty()) {
            settings.add("No variable of the environment can be set from outside.");
        }
        values("diagnostics").stream()
                .flatMap(names -> List.of(names.split(" ")).stream())
                .forEach(name ->
                        settings.add("What the guest shows on its console: " + Html.code(name) + ", by the variable "
                                + Html.code("UNIKERNEL_" + name.toUpperCase(Locale.ROOT)) + ", from "
                                + sources() + ". Whoever reads the console reads it."));
        allowed.forEach(name -> settings.add("Variable " + Html.code(name) + ", from " + sources()));
        settings.add(
                values("instance-metadata").contains("no")
                        ? "The program cannot reach EC2's instance metadata service."
                        : "The program can reach EC2's instance metadata service, and so the credentials of an"
                                + " instance's role (" + Html.code("instanceMetadata") + ").");
        return settings;
    }

    private String sources() {
        return values("sources").isEmpty() ? "every source" : String.join(" ", values("sources"));
    }

    private void writeKernel(Html page) throws IOException {
        String options = manifest.kernel().options();
        page.element("h3", "System calls");
        if (isCustom()) {
            page.paragraph("The image has a kernel of the project's own, whose calls and protections the plugin does"
                    + " not know.");
            return;
        }
        List<List<String>> calls = KernelDocuments.systemCalls();
        page.paragraph("The kernel offers " + calls.size() + " calls; all others fail with ENOSYS.");
        page.markup("<details><summary>All calls</summary>")
                .table(
                        List.of("Number#", "Call", "Deviates from Linux"),
                        calls.stream()
                                .map(row -> List.of(row.get(0), row.get(1), row.get(3)))
                                .toList())
                .markup("</details>");
        page.element("h3", "Protections");
        if (options.contains("nokaslr")) {
            page.paragraph("The kernel option " + Html.code("nokaslr") + " switches the kernel's random address off.");
        }
        if (options.contains("mitigations=off")) {
            page.paragraph("The kernel option " + Html.code("mitigations=off")
                    + " switches the mitigations against speculative execution off.");
        }
        page.table(
                List.of("Protection", "Xen PV", "QEMU, Xen PVH and HVM, EC2"),
                KernelDocuments.protections().stream()
                        .map(row -> List.of(row.get(0), row.get(3), row.get(4)))
                        .toList());
    }
}
