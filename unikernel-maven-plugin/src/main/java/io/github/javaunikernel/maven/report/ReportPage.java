// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.report;

import io.github.javaunikernel.maven.html.Html;
import io.github.javaunikernel.maven.image.Ext2Reader;
import io.github.javaunikernel.maven.image.ImageEntry;
import io.github.javaunikernel.maven.inspect.Difference;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The page about one image. It needs nothing but itself: no script, no other file, no network. */
public final class ReportPage {

    private static final String CONFIGURATION = "/etc/unikernel.conf";

    private final ImageManifest manifest;
    private final String configuration;
    private final Optional<Earlier> earlier;
    private final List<Integer> ports;

    /**
     * What the image is compared with.
     *
     * @param name of it, for people to read
     */
    private record Earlier(String name, List<ImageEntry> entries) {}

    private ReportPage(ImageManifest manifest, String configuration, Optional<Earlier> earlier, List<Integer> ports) {
        this.manifest = manifest;
        this.configuration = configuration;
        this.earlier = earlier;
        this.ports = ports;
    }

    /**
     * The page about an image.
     *
     * @param manifest beside the image
     * @param previous manifest of the image before, or empty
     * @param other an older image to compare with in place of that, or empty
     * @param ports on which the program listens, as the project says
     */
    public static String of(
            Path image, Path manifest, Optional<Path> previous, Optional<Path> other, List<Integer> ports)
            throws IOException {
        ByteArrayOutputStream configuration = new ByteArrayOutputStream();
        try (Ext2Reader reader = new Ext2Reader(image)) {
            reader.copy(CONFIGURATION, configuration);
        }
        return new ReportPage(
                        ImageManifest.read(manifest),
                        configuration.toString(StandardCharsets.UTF_8),
                        earlier(previous, other),
                        ports)
                .text();
    }

    private static Optional<Earlier> earlier(Optional<Path> previous, Optional<Path> other) throws IOException {
        if (other.isPresent()) {
            try (Ext2Reader reader = new Ext2Reader(other.get())) {
                return Optional.of(new Earlier(other.get().toString(), reader.entries()));
            }
        }
        if (previous.isPresent()) {
            return Optional.of(new Earlier(
                    "the last image with other contents",
                    ImageManifest.read(previous.get()).entries()));
        }
        return Optional.empty();
    }

    /** A number of bytes, for people to read. */
    static String size(long bytes) {
        if (bytes < 1024) {
            return bytes + " B";
        }
        return bytes < 1 << 20
                ? String.format(Locale.ROOT, "%.1f KiB", bytes / 1024.0)
                : String.format(Locale.ROOT, "%.1f MiB", bytes / 1048576.0);
    }

    private String text() throws IOException {
        Html page = Html.page(manifest.name() + ": what is in the image", Html.style(ReportPage.class, "report.css"));
        writeHead(page);
        writeBytes(page);
        if (manifest.jdk() != null) {
            writeModules(page);
        }
        writeLibraries(page);
        writeChanges(page);
        new Surface(manifest, configuration, ports).write(page);
        return page.end().toString();
    }

    private void writeHead(Html page) {
        ImageManifest.Machine machine = manifest.machine();
        page.element("h1", manifest.name());
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of(
                "File",
                Html.code(manifest.image().file()) + ", "
                        + size(manifest.image().size())));
        rows.add(List.of("UUID", Html.code(manifest.image().uuid())));
        rows.add(List.of("Time of its files", manifest.created()));
        rows.addAll(program());
        rows.add(List.of(
                "Kernel",
                manifest.kernel().version() + ", options "
                        + Html.code(manifest.kernel().options())));
        rows.add(List.of(
                "Machine",
                machine.memory() + " MiB, virtual CPUs: " + machine.vcpus() + ", network: "
                        + Html.code(machine.network())));
        page.table(List.of("Image", "Value"), rows);
        String bill = Html.escaped(manifest.name() + ".cdx.json");
        page.markup("<p>Bill of materials (CycloneDX): <a href=\"" + bill + "\">" + bill + "</a></p>");
    }

    private List<List<String>> program() {
        if (manifest.jdk() == null) {
            return List.of(
                    List.of("Executable", Html.code(manifest.application().executable())));
        }
        return List.of(
                List.of("Main class", Html.code(manifest.application().mainClass())),
                List.of("Java", manifest.jdk().version() + ", " + manifest.jdk().vendor()));
    }

    private void writeBytes(Html page) {
        Shares shares = new Shares(manifest);
        page.markup("<section id=\"bytes\">").element("h2", "Bytes");
        Treemap.write(shares.tiles(), page);
        page.markup("<ul class=\"legend\">");
        shares.byKind()
                .forEach((kind, bytes) -> page.markup("<li><span class=\"tile " + kind + "\"></span>"
                        + Html.escaped(Shares.KINDS.get(kind)) + " " + size(bytes) + "</li>"));
        page.markup("</ul>");
        String modules = manifest.jdk() == null
                ? ""
                : " The JDK's modules are one compressed file, which is shared out by their classes before"
                        + " compression.";
        page.paragraph(
                "The areas are in proportion to the bytes of the files." + modules + " The file system takes another "
                        + size(Math.max(0, manifest.parts().getOrDefault("fileSystem", 0L))) + ", and "
                        + size(manifest.parts().getOrDefault("free", 0L))
                        + " between the files are free, so that a change of one file leaves the others where they"
                        + " are.");
        page.markup("</section>");
    }

    private void writeModules(Html page) {
        List<List<String>> rows = new ArrayList<>();
        Map<String, String> reasons = manifest.jdk().moduleReasons();
        new Shares(manifest)
                .modules()
                .forEach((module, bytes) ->
                        rows.add(List.of(Html.code(module), size(bytes), reasons.getOrDefault(module, ""))));
        page.markup("<section id=\"modules\">").element("h2", "Modules of the JDK");
        page.table(List.of("Module", "About#", "Why"), rows).markup("</section>");
    }

    private void writeLibraries(Html page) {
        List<List<String>> rows = manifest.files().stream()
                .filter(file -> file.type().equals("file") && file.path().matches(".*\\.so(\\.[0-9.]+)?|/lib64/ld-.*"))
                .map(file -> List.of(Html.code(file.path()), size(file.size()), reason(file)))
                .toList();
        page.markup("<section id=\"libraries\">").element("h2", "Native libraries");
        page.table(List.of("Library", "Size#", "Why"), rows);
        page.paragraph("Libraries inside of jars are part of the jars.").markup("</section>");
    }

    private static String reason(ImageManifest.Content file) {
        if (file.reason() != null) {
            return file.reason();
        }
        return file.origin().startsWith("jdk:") ? "part of the JDK's modules" : "from " + file.origin();
    }

    private void writeChanges(Html page) {
        page.markup("<section id=\"changes\">").element("h2", "Changes");
        if (earlier.isEmpty()) {
            page.paragraph("There is no earlier image to compare with. The next build that changes the image makes"
                    + " one, or name one with `-Dunikernel.other`.");
        } else {
            writeChanges(page, earlier.get());
        }
        page.markup("</section>");
    }

    private void writeChanges(Html page, Earlier before) {
        List<Difference.Change> changes = new Difference(before.entries(), manifest.entries()).changes();
        page.paragraph("Compared with " + before.name() + ": " + changes.size()
                + (changes.size() == 1 ? " difference." : " differences."));
        if (!changes.isEmpty()) {
            page.table(
                    List.of("File", "What", "Before#", "Now#"),
                    changes.stream().map(ReportPage::row).toList());
        }
    }

    private static List<String> row(Difference.Change change) {
        String what = change.before() == null ? "added" : change.after() == null ? "removed" : "changed";
        return List.of(Html.code(change.path()), what, sizeOf(change.before()), sizeOf(change.after()));
    }

    private static String sizeOf(ImageEntry entry) {
        return entry == null ? "" : size(entry.size());
    }
}
