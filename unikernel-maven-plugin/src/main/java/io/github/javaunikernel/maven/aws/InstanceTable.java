// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Instances as a table for people. */
public final class InstanceTable {
    private static final List<String> HEADINGS =
            List.of("INSTANCE", "IMAGE", "TYPE", "STATE", "ADDRESS", "AGE", "$/HOUR");

    private InstanceTable() {}

    /** A line with the headings and one for each instance, in columns that are as wide as they must be. */
    public static List<String> lines(List<RunningInstance> instances, Instant now) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(HEADINGS);
        instances.forEach(instance -> rows.add(row(instance, now)));
        int[] widths = IntStream.range(0, HEADINGS.size())
                .map(column -> rows.stream()
                        .mapToInt(row -> row.get(column).length())
                        .max()
                        .orElse(0))
                .toArray();
        return rows.stream().map(row -> line(row, widths)).toList();
    }

    private static String line(List<String> row, int[] widths) {
        return IntStream.range(0, widths.length)
                .mapToObj(column -> String.format("%-" + widths[column] + "s", row.get(column)))
                .collect(Collectors.joining("  "))
                .stripTrailing();
    }

    private static List<String> row(RunningInstance instance, Instant now) {
        return List.of(
                instance.instanceId(),
                instance.imageId(),
                instance.type(),
                instance.state(),
                instance.address().orElse("-"),
                age(Duration.between(instance.launched(), now)),
                price(instance));
    }

    /** In its two largest units. */
    private static String age(Duration age) {
        if (age.toDays() > 0) {
            return age.toDays() + " d " + age.toHoursPart() + " h";
        }
        return age.toHours() > 0
                ? age.toHours() + " h " + age.toMinutesPart() + " min"
                : Math.max(0, age.toMinutes()) + " min";
    }

    /** A stopped instance costs what its disk costs; the spot price varies. */
    private static String price(RunningInstance instance) {
        if (instance.state().equals("stopped")) {
            return "-";
        }
        if (instance.spot()) {
            return "spot";
        }
        return InstanceTypes.named(instance.type())
                .map(type -> type.price().toPlainString())
                .orElse("?");
    }
}
