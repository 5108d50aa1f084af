// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.util.Map;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Image names from a pattern with <code>{placeholders}</code>. */
public final class AmiName {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([^{}]*)}");
    /** RegisterImage: 3 to 128 characters of these. */
    private static final Pattern VALID = Pattern.compile("[A-Za-z0-9 ()\\[\\]./'@_-]{3,128}");

    private static final Pattern FOREIGN = Pattern.compile("[^A-Za-z0-9 ()\\[\\]./'@_-]");

    private AmiName() {}

    /**
     * Fills a pattern in. Characters of a value that EC2 refuses become {@code -}.
     *
     * @param setting the parameter that the pattern is given with
     * @param values what each placeholder stands for; asked only when it is used
     * @throws CloudException for an unknown placeholder or a name EC2 would refuse
     */
    public static String expand(CloudSetting setting, String pattern, Map<String, Supplier<String>> values)
            throws CloudException {
        Matcher matcher = PLACEHOLDER.matcher(pattern);
        StringBuilder name = new StringBuilder();
        while (matcher.find()) {
            Supplier<String> value = values.get(matcher.group(1));
            if (value == null) {
                throw new CloudException(
                        Reason.NAME,
                        setting,
                        "The image name \"" + pattern + "\" has an unknown placeholder {" + matcher.group(1) + "}.",
                        "Use only {"
                                + String.join(
                                        "}, {",
                                        values.keySet().stream().sorted().toList()) + "}.",
                        null);
            }
            matcher.appendReplacement(
                    name, Matcher.quoteReplacement(FOREIGN.matcher(value.get()).replaceAll("-")));
        }
        matcher.appendTail(name);
        if (!VALID.matcher(name).matches()) {
            throw new CloudException(
                    Reason.NAME,
                    setting,
                    "EC2 refuses the image name \"" + name + "\".",
                    "Use 3 to 128 letters, digits, spaces and ()[]./'@_-.",
                    null);
        }
        return name.toString();
    }
}
