// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.IllformedLocaleException;
import java.util.Locale;
import java.util.Set;

/** Which locales' data a runtime has when the user names them. */
public final class LocaleChoice {

    private static final String PARAMETER = "locales";
    /** Those that java.base has data of. */
    private static final Set<String> BASE = Set.of("en", "en-US");

    private LocaleChoice() {}

    /** Fails when a text is no language tag (BCP 47). */
    public static void check(Set<String> locales) throws SettingException {
        for (String locale : locales) {
            try {
                new Locale.Builder().setLanguageTag(locale.replace("*", "und"));
            } catch (IllformedLocaleException e) {
                throw new SettingException(
                        PARAMETER,
                        "'" + locale + "' is not a language tag.",
                        "Write language tags with hyphens, such as de, fr-CH or zh-Hant.",
                        e);
            }
        }
    }

    /** Adds or removes the module with the data of locales, where the user names some. */
    public static void apply(Set<String> locales, Set<String> modules) {
        if (locales.isEmpty()) {
            return;
        }
        if (BASE.containsAll(locales)) {
            modules.remove(LocaleUse.MODULE);
        } else {
            modules.add(LocaleUse.MODULE);
        }
    }

    /** What jlink trims the data to: nothing to trim where the module is not in. */
    public static Set<String> kept(Set<String> locales, Set<String> modules) {
        return modules.contains(LocaleUse.MODULE) ? locales : Set.of();
    }
}
