// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.report;

import io.github.javaunikernel.maven.report.Treemap.Tile;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** How the bytes of an image are shared out. */
final class Shares {

    /** The kinds of content in their order, and what they are called. */
    static final Map<String, String> KINDS = kinds();

    /** The modules of the JDK are one file, which is shared out by their classes before compression. */
    private static final String MODULES_FILE = "/jvm/lib/modules";
    /** A smaller part of the whole cannot be seen. */
    private static final double LEAST = 0.002;

    private final ImageManifest manifest;

    Shares(ImageManifest manifest) {
        this.manifest = manifest;
    }

    private static Map<String, String> kinds() {
        Map<String, String> kinds = new LinkedHashMap<>();
        kinds.put("kernel", "Kernel");
        kinds.put("modules", "JDK modules");
        kinds.put("runtime", "Rest of the JDK");
        kinds.put("libraries", "System libraries and files");
        kinds.put("dependencies", "Dependencies");
        kinds.put("application", "Application");
        kinds.put("other", "Configuration and other files");
        return kinds;
    }

    /** The kind of a file. */
    static String kind(ImageManifest.Content file) {
        String path = file.path();
        if (path.startsWith("/boot/")) {
            return "kernel";
        }
        if (path.startsWith("/jvm/")) {
            return path.equals(MODULES_FILE) ? "modules" : "runtime";
        }
        if (path.startsWith("/app/")) {
            return path.startsWith("/app/lib/") || path.contains("-INF/lib/") ? "dependencies" : "application";
        }
        return file.origin().startsWith("system:") ? "libraries" : "other";
    }

    /** Bytes of each kind, those without any left out. */
    Map<String, Long> byKind() {
        Map<String, Long> bytes = new LinkedHashMap<>();
        KINDS.keySet().forEach(kind -> bytes.put(kind, 0L));
        manifest.files().forEach(file -> bytes.merge(kind(file), file.size(), Long::sum));
        bytes.values().removeIf(size -> size == 0);
        return bytes;
    }

    /** Bytes of the image that each module takes, about. */
    Map<String, Long> modules() {
        if (manifest.jdk() == null) {
            return Map.of();
        }
        long stored = manifest.files().stream()
                .filter(file -> file.path().equals(MODULES_FILE))
                .mapToLong(ImageManifest.Content::size)
                .sum();
        Map<String, Long> classes = manifest.jdk().moduleBytes();
        double whole = classes.values().stream().mapToLong(Long::longValue).sum();
        Map<String, Long> shares = new LinkedHashMap<>();
        classes.forEach((module, size) -> shares.put(module, Math.round(stored * (size / whole))));
        return shares;
    }

    /** A tile for each file and module; small ones of a kind share one. */
    List<Tile> tiles() {
        List<Tile> all = new ArrayList<>();
        modules().forEach((name, size) -> all.add(tile("modules", name, name, size)));
        manifest.files().stream()
                .filter(file -> !kind(file).equals("modules"))
                .forEach(file -> all.add(tile(
                        kind(file),
                        file.path().substring(file.path().lastIndexOf('/') + 1),
                        file.path(),
                        file.size())));
        long whole = all.stream().mapToLong(Tile::bytes).sum();
        List<Tile> large = new ArrayList<>();
        for (String kind : KINDS.keySet()) {
            addTogether(all.stream().filter(tile -> tile.kind().equals(kind)).toList(), whole, large);
        }
        return large;
    }

    private static Tile tile(String kind, String name, String place, long size) {
        return new Tile(kind, name, ReportPage.size(size) + ", " + place, size);
    }

    private static void addTogether(List<Tile> kind, long whole, List<Tile> large) {
        List<Tile> small = new ArrayList<>();
        for (Tile tile : kind) {
            (tile.bytes() < whole * LEAST ? small : large).add(tile);
        }
        long bytes = small.stream().mapToLong(Tile::bytes).sum();
        if (bytes > 0) {
            String name = small.size() + " small";
            large.add(tile(small.get(0).kind(), name, KINDS.get(small.get(0).kind()), bytes));
        }
    }
}
