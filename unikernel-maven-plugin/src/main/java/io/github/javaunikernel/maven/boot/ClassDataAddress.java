// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.List;

/** Where in its address space the JVM maps class data. */
public enum ClassDataAddress {

    /** Elsewhere at each start. The JVM then corrects the pointers in most pages, which become memory of its own. */
    RANDOM(List.of()),
    /** Where the archive was made for, so that its pages stay those of the file (HotSpot's ArchiveRelocationMode). */
    FIXED(List.of("-XX:+UnlockDiagnosticVMOptions", "-XX:ArchiveRelocationMode=0"));

    private static final String DECIDED_BY = "-XX:ArchiveRelocationMode=.*";

    private final List<String> options;

    ClassDataAddress(List<String> options) {
        this.options = options;
    }

    /** Reads the parameter. */
    public static ClassDataAddress parse(String text) throws SettingException {
        return switch (text) {
            case "random" -> RANDOM;
            case "fixed" -> FIXED;
            default ->
                throw new SettingException(
                        "cdsAddress", "'" + text + "' is not an address of class data.", "Set it to random or fixed.");
        };
    }

    /**
     * The JVM's options in their order, or none where the user decides the matter.
     *
     * @param given the user's
     */
    public List<String> options(GivenOptions given) {
        return given.any(DECIDED_BY) ? List.of() : options;
    }
}
