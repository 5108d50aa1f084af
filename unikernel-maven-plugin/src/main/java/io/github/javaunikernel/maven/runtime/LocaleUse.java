// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whether an application formats or parses for languages other than English, whose data are in jdk.localedata. Without
 * that module nothing fails: numbers and dates are read and written as English ones. Two things together are the sign:
 * some code chooses a locale, and some code formats.
 */
final class LocaleUse {

    static final String MODULE = "jdk.localedata";

    /** In java.base. */
    private static final Set<String> BASE_CONSTANTS = Set.of("ENGLISH", "US", "ROOT");

    private static final Set<String> CHOOSING =
            Set.of("<init>", "of", "forLanguageTag", "getAvailableLocales", "setDefault", "lookup", "filter");
    private static final Set<String> FORMATTING = Set.of(
            "java/text/NumberFormat",
            "java/text/DecimalFormat",
            "java/text/DecimalFormatSymbols",
            "java/text/CompactNumberFormat",
            "java/text/DateFormat",
            "java/text/SimpleDateFormat",
            "java/text/DateFormatSymbols",
            "java/text/MessageFormat",
            "java/text/Collator",
            "java/text/RuleBasedCollator",
            "java/text/BreakIterator",
            "java/time/format/DateTimeFormatter",
            "java/time/format/DateTimeFormatterBuilder",
            "java/time/format/DecimalStyle",
            "java/time/format/TextStyle",
            "java/time/temporal/WeekFields",
            "java/util/Currency",
            "java/util/Formatter",
            "java/util/Calendar",
            "java/util/GregorianCalendar");
    private static final Set<String> FORMATTING_MEMBERS = Set.of(
            "java/lang/String.format",
            "java/lang/String.formatted",
            "java/io/PrintStream.printf",
            "java/io/PrintStream.format",
            "java/io/PrintWriter.printf",
            "java/io/PrintWriter.format");
    private static final Pattern TAG = Pattern.compile("([a-z]{2,3})[-_]([A-Z]{2})(\\..*)?");
    private static final Pattern BUNDLE = Pattern.compile("[^/]*[^/_]_([a-z]{2})(_[A-Z]{2})?\\.properties");
    private static final Set<String> LANGUAGES = Set.of(Locale.getISOLanguages());

    /** By their texts, so that the reason that is printed is the same each time. */
    private final Map<String, String> chosen = new TreeMap<>();

    private boolean formats;

    /** Looks at a class. */
    void see(ClassFile file, String jar) {
        formats = formats
                || file.references().stream().anyMatch(FORMATTING::contains)
                || file.members().stream().anyMatch(FORMATTING_MEMBERS::contains);
        for (String member : file.members()) {
            if (chooses(member)) {
                chosen.putIfAbsent(member.replace('/', '.').replace(".<init>", "'s constructor") + " in " + jar, "");
            }
        }
    }

    /** Looks at the name of a file in a jar. */
    void seeFile(String path, String jar) {
        Matcher bundle = BUNDLE.matcher(path.substring(path.lastIndexOf('/') + 1));
        if (bundle.matches() && isForeign(bundle.group(1))) {
            chosen.putIfAbsent(path + " in " + jar, "");
        }
    }

    /** What shows that other languages are used; empty when nothing does. */
    Optional<String> reason() {
        return formats ? chosen.keySet().stream().findFirst() : Optional.empty();
    }

    /** Whether a text is a locale beyond English, such as {@code de}, {@code de_DE.UTF-8} or {@code en-GB}. */
    static boolean isForeignTag(String text) {
        Matcher tag = TAG.matcher(text);
        return tag.matches() ? isForeign(tag.group(1)) || !tag.group(2).equals("US") : isForeign(text);
    }

    private static boolean isForeign(String language) {
        return LANGUAGES.contains(language) && !language.equals("en");
    }

    private static boolean chooses(String member) {
        if (member.startsWith("java/util/Locale$Builder.build")) {
            return true;
        }
        if (!member.startsWith("java/util/Locale.")) {
            return false;
        }
        String name = member.substring("java/util/Locale.".length());
        boolean constant = name.equals(name.toUpperCase(Locale.ROOT)) && !BASE_CONSTANTS.contains(name);
        return constant || CHOOSING.contains(name);
    }
}
