// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.ExplainedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/** Tables of the documents that come with the plugin's kernel. */
public final class KernelDocuments {

    private KernelDocuments() {}

    /** The system calls that the kernel offers: number, name, arguments, and what differs from Linux. */
    public static List<List<String>> systemCalls() throws IOException {
        return table("system-calls.md", "Number");
    }

    /** The protections inside a guest: what, tests, kind, whether on Xen PV, whether elsewhere. */
    public static List<List<String>> protections() throws IOException {
        return table("security.md", "Protection");
    }

    private static List<List<String>> table(String document, String firstHeading) throws IOException {
        List<List<String>> rows;
        try (InputStream in = Kernel.resource(document)) {
            rows = rows(new String(in.readAllBytes(), StandardCharsets.UTF_8), firstHeading);
        }
        if (rows.isEmpty()) {
            throw new ExplainedException(document + " of the plugin's kernel has no table '" + firstHeading
                    + "'. Install the plugin again with all its dependencies.");
        }
        return rows;
    }

    /** The rows of the Markdown table whose first column has this heading, each as long as the heading. */
    static List<List<String>> rows(String text, String firstHeading) {
        List<String> table = text.lines()
                .dropWhile(line -> !line.startsWith("| " + firstHeading + " |"))
                .takeWhile(line -> line.startsWith("|"))
                .toList();
        int width = table.isEmpty() ? 0 : cells(table.get(0)).size();
        return table.stream()
                .skip(2)
                .map(KernelDocuments::cells)
                .filter(cells -> cells.size() == width)
                .toList();
    }

    private static List<String> cells(String line) {
        return Stream.of(line.strip().replaceAll("^\\||\\|$", "").split("(?<!\\\\)\\|", -1))
                .map(cell -> cell.strip().replace("\\|", "|"))
                .toList();
    }
}
