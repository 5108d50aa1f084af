// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.OptionalInt;

/** A switch that may name a port: {@code -Dunikernel.debug}, {@code -Dunikernel.debug=5006}. */
public final class PortOption {

    private PortOption() {}

    /**
     * Reads it.
     *
     * @param value null or {@code false} for off, {@code true} or nothing for the usual port, or a port; 0 for a free
     *     one
     * @return the port when the switch is on
     */
    public static OptionalInt parse(String parameter, String value, int usual) throws SettingException {
        if (value == null || value.equals("false")) {
            return OptionalInt.empty();
        }
        if (value.isEmpty() || value.equals("true")) {
            return OptionalInt.of(usual);
        }
        if (!value.matches("\\d{1,6}")) {
            throw new SettingException(
                    parameter, "'" + value + "' is not a port.", "Give a number, or nothing for " + usual + ".");
        }
        return OptionalInt.of(PortForward.checked(parameter, Integer.parseInt(value), 0));
    }
}
