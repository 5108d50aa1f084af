// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.settings;

/** A setting that cannot work, or one that is missing. The message names the parameter and ends with the fix. */
public final class SettingException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String parameter;
    private final String problem;
    private final String fix;

    /**
     * Makes the message.
     *
     * @param parameter name of the plugin parameter, such as {@code mainClass}, as its property has it
     * @param problem one or more sentences
     * @param fix one sentence that says what to do
     */
    public SettingException(String parameter, String problem, String fix) {
        this(parameter, problem, fix, null);
    }

    /** As above, with what led to it. */
    public SettingException(String parameter, String problem, String fix, Throwable cause) {
        super(message(parameter, parameter, problem, fix), cause);
        this.parameter = parameter;
        this.problem = problem;
        this.fix = fix;
    }

    /** The message for a goal that has the parameter under this name in a POM. */
    public String messageNaming(String name) {
        return message(name, parameter, problem, fix);
    }

    private static String message(String name, String property, String problem, String fix) {
        return problem + " [parameter " + name + ", -Dunikernel." + property + "] " + fix;
    }

    /** Name of the parameter that is wrong, as its property has it. */
    public String parameter() {
        return parameter;
    }

    /** What is wrong, without the parameter and the fix. */
    public String problem() {
        return problem;
    }
}
