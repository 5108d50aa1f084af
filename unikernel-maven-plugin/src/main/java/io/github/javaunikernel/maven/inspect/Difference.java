// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.inspect;

import io.github.javaunikernel.maven.image.ImageEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What differs between two images. */
public final class Difference {

    /**
     * One path that differs.
     *
     * @param before what was there, or null
     * @param after what is there, or null
     */
    public record Change(String path, ImageEntry before, ImageEntry after) {

        private record InJson(String path, Shown before, Shown after) {}

        private InJson shown() {
            return new InJson(path, Shown.of(before), Shown.of(after));
        }

        private String text() {
            if (before == null) {
                return String.format("added    %s (%d)%n", path, after.size());
            }
            if (after == null) {
                return String.format("removed  %s (%d)%n", path, before.size());
            }
            return String.format("changed  %s (%d -> %d)%n", path, before.size(), after.size());
        }
    }

    private final List<Change> changes = new ArrayList<>();

    /** Compares what two images have. */
    public Difference(List<ImageEntry> before, List<ImageEntry> after) {
        Map<String, ImageEntry> older = byPath(before);
        Map<String, ImageEntry> newer = byPath(after);
        Map<String, ImageEntry> all = new TreeMap<>(older);
        all.putAll(newer);
        for (String path : all.keySet()) {
            Change change = new Change(path, older.get(path), newer.get(path));
            if (change.before == null || !change.before.equals(change.after)) {
                changes.add(change);
            }
        }
    }

    private static Map<String, ImageEntry> byPath(List<ImageEntry> entries) {
        return entries.stream().collect(Collectors.toMap(ImageEntry::path, Function.identity()));
    }

    /** The paths that differ, in their order. */
    public List<Change> changes() {
        return List.copyOf(changes);
    }

    /** One line for each path. */
    public String text() {
        return changes.stream().map(Change::text).collect(Collectors.joining());
    }

    /** An array of the paths, with what was and is there. */
    public String json() {
        return Shown.GSON.toJson(changes.stream().map(Change::shown).toList()) + "\n";
    }
}
