// SPDX-License-Identifier: Apache-2.0
package it;

import java.lang.instrument.Instrumentation;
import java.text.NumberFormat;
import java.util.Locale;
import java.util.ResourceBundle;

public final class Main {

    private static String agent = "no agent";

    private Main() {}

    public static void agentmain(String options, Instrumentation tools) {
        agent = "an agent that may redefine classes: " + tools.isRedefineClassesSupported();
    }

    public static void main(String[] arguments) throws Exception {
        found(NumberFormat.getInstance(Locale.GERMANY).format(1234.5));
        found(Class.forName("jdk.net.ExtendedSocketOptions"));
        found(agent);
        found(ResourceBundle.getBundle("a").getString("a"));
        found(Integer.class.getDeclaredField("value").trySetAccessible());
    }

    private static void found(Object what) {
        System.out.println("found: " + what);
    }
}
