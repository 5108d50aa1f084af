// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.settings;

/** Something the user said, or left unsaid, cannot work. The message names the parameter and ends with the fix. */
public final class SettingException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String parameter;

    /**
     * Makes the message.
     *
     * @param parameter name of the plugin parameter, such as {@code mainClass}
     * @param problem one or more sentences
     * @param fix one sentence that says what to do
     */
    public SettingException(String parameter, String problem, String fix) {
        this(parameter, problem, fix, null);
    }

    /** As above, with what led to it. */
    public SettingException(String parameter, String problem, String fix, Throwable cause) {
        super(problem + " [parameter " + parameter + ", -Dunikernel." + parameter + "] " + fix, cause);
        this.parameter = parameter;
    }

    /** Name of the parameter that is wrong. */
    public String parameter() {
        return parameter;
    }
}
