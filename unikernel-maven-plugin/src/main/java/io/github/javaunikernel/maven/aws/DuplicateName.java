// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.util.Arrays;
import java.util.Locale;

/** What to do when the account already has an image of the same name in the region. */
public enum DuplicateName {
    /** Stop before anything is sent. */
    FAIL,
    /** Report the image that is there. */
    REUSE,
    /** Upload, then deregister the old image, register the new one and delete the old snapshots. */
    REPLACE;

    /** Reads one as users write it, in capitals or not. */
    public static DuplicateName parse(String text) throws CloudException {
        return Arrays.stream(values())
                .filter(value -> value.name().equals(text.toUpperCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new CloudException(
                        CloudSetting.DUPLICATE_NAME,
                        "'" + text + "' is not a way to deal with a name that is taken.",
                        "Use FAIL, REUSE or REPLACE."));
    }
}
