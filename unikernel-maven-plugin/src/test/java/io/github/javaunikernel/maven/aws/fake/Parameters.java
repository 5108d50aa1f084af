// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Parameters of a Query call. Each is taken once; what nobody took is an error. */
final class Parameters {
    private final Map<String, String> left;
    final String action;

    Parameters(Map<String, String> form) {
        left = new TreeMap<>(form);
        action = left.remove("Action");
        left.remove("Version");
    }

    /** The value, or null. */
    String take(String name) {
        return left.remove(name);
    }

    String require(String name) {
        String value = take(name);
        if (value == null) {
            throw new AwsFault(400, "MissingParameter", "The request must contain the parameter " + name);
        }
        return value;
    }

    /** {@code Name.1, Name.2, …} */
    List<String> list(String name) {
        List<String> values = new ArrayList<>();
        for (String value; (value = take(name + '.' + (values.size() + 1))) != null; ) {
            values.add(value);
        }
        return values;
    }

    /** {@code Filter.N.Name, Filter.N.Value.M} */
    Map<String, List<String>> filters() {
        Map<String, List<String>> filters = new LinkedHashMap<>();
        for (int i = 1; left.containsKey("Filter." + i + ".Name"); i++) {
            filters.put(take("Filter." + i + ".Name"), list("Filter." + i + ".Value"));
        }
        return filters;
    }

    /** {@code TagSpecification.N.ResourceType, TagSpecification.N.Tag.M.Key|Value} for one type. */
    Map<String, String> tags(String... types) {
        Map<String, String> tags = new LinkedHashMap<>();
        for (int i = 1; left.containsKey("TagSpecification." + i + ".ResourceType"); i++) {
            String type = take("TagSpecification." + i + ".ResourceType");
            if (!List.of(types).contains(type)) {
                throw new AwsFault(400, "InvalidParameterValue", "cannot tag " + type + " here");
            }
            tags.putAll(tagList("TagSpecification." + i + ".Tag."));
        }
        return tags;
    }

    private Map<String, String> tagList(String prefix) {
        Map<String, String> tags = new LinkedHashMap<>();
        for (int i = 1; left.containsKey(prefix + i + ".Key"); i++) {
            tags.put(take(prefix + i + ".Key"), take(prefix + i + ".Value"));
        }
        if (tags.size() > 50) {
            throw new AwsFault(400, "TagLimitExceeded", "more than 50 tags");
        }
        tags.forEach((key, value) -> {
            if (key.isEmpty() || key.length() > 128 || value.length() > 256 || key.startsWith("aws:")) {
                throw new AwsFault(400, "InvalidParameterValue", "tag " + key);
            }
        });
        return tags;
    }

    void requireEmpty() {
        if (!left.isEmpty()) {
            throw new AwsFault(400, "UnknownParameter", "The parameters " + left.keySet() + " are not recognized");
        }
    }

    Map<String, String> peek() {
        return Map.copyOf(left);
    }
}
