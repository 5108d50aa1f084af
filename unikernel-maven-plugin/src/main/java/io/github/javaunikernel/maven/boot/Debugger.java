// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The JVM's debugger agent, for images that are made to be debugged. */
public final class Debugger {

    /** The port of the guest that the agent listens on. */
    public static final int PORT = 5005;
    /** The module with the agent and its transport. */
    public static final String MODULE = "jdk.jdwp.agent";

    private static final Pattern AGENT =
            Pattern.compile("-(?:agentlib:|Xrun)jdwp[=:].*\\baddress=(?:[^,]*:)?(\\d{1,5})(?:,.*)?");

    private Debugger() {}

    /**
     * The JVM's option for it.
     *
     * @param suspended whether the program waits for the debugger
     */
    public static String jvmArgument(boolean suspended) {
        return "-agentlib:jdwp=transport=dt_socket,server=y,suspend=" + (suspended ? "y" : "n") + ",address=*:" + PORT;
    }

    /** The port that an agent listens on with these options of the JVM. */
    public static OptionalInt port(List<String> jvmArguments) {
        return jvmArguments.stream()
                .map(AGENT::matcher)
                .filter(Matcher::matches)
                .mapToInt(option -> Integer.parseInt(option.group(1)))
                .findFirst();
    }
}
