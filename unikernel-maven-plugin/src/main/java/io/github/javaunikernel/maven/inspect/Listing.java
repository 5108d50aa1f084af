// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.inspect;

import io.github.javaunikernel.maven.image.ImageEntry;
import java.util.List;
import java.util.stream.Collectors;

/** What is in an image, one line for each file, link and directory. */
public final class Listing {

    private static final String LETTERS = "rwxrwxrwx";

    private final List<ImageEntry> entries;

    /** The listing of these entries. */
    public Listing(List<ImageEntry> entries) {
        this.entries = entries;
    }

    /** Permissions, size and path of each, as {@code ls -l} has them. */
    public String text() {
        return entries.stream()
                .map(entry -> String.format("%s %10d %s%n", mode(entry), entry.size(), named(entry, entry.path())))
                .collect(Collectors.joining());
    }

    /** The names, each indented below its directory, with the sizes of files. */
    public String tree() {
        StringBuilder tree = new StringBuilder("/\n");
        for (ImageEntry entry : entries) {
            int depth = (int) entry.path().chars().filter(c -> c == '/').count();
            String name = entry.path().substring(entry.path().lastIndexOf('/') + 1);
            tree.append("  ".repeat(depth)).append(named(entry, name));
            tree.append(entry.type().equals("file") ? "  " + entry.size() : "").append('\n');
        }
        return tree.toString();
    }

    /** An array of all. */
    public String json() {
        return Shown.GSON.toJson(entries.stream().map(Shown::of).toList()) + "\n";
    }

    private static String named(ImageEntry entry, String name) {
        return switch (entry.type()) {
            case "link" -> name + " -> " + entry.target();
            case "directory" -> name + "/";
            default -> name;
        };
    }

    private static String mode(ImageEntry entry) {
        StringBuilder mode = new StringBuilder(
                switch (entry.type()) {
                    case "link" -> "l";
                    case "directory" -> "d";
                    default -> "-";
                });
        for (int i = 0; i < LETTERS.length(); i++) {
            boolean set = (entry.permissions() >> LETTERS.length() - 1 - i & 1) != 0;
            mode.append(set ? LETTERS.charAt(i) : '-');
        }
        return mode.toString();
    }
}
