// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.util.List;
import java.util.Map;

/** Modules that options of the JVM, system properties and variables of the environment need. */
final class OptionModules {

    private static final String PROPERTY = "-D";

    /** The beginning of an option, and what it needs. */
    private static final Map<String, List<String>> BY_OPTION = Map.ofEntries(
            Map.entry("-javaagent:", List.of("java.instrument")),
            Map.entry("-agentlib:instrument", List.of("java.instrument")),
            Map.entry("-agentlib:jdwp", List.of("jdk.jdwp.agent")),
            Map.entry("-Xrunjdwp", List.of("jdk.jdwp.agent")),
            Map.entry("-agentlib:management_agent", List.of("jdk.management.agent")),
            Map.entry("-XX:+ManagementServer", List.of("jdk.management.agent")),
            Map.entry("-XX:StartFlightRecording", List.of("jdk.jfr")),
            Map.entry("-XX:FlightRecorderOptions", List.of("jdk.jfr")),
            Map.entry("-XX:+FlightRecorder", List.of("jdk.jfr")),
            Map.entry("-XX:+EnableJVMCI", List.of("jdk.internal.vm.ci")),
            Map.entry(
                    "-XX:+UseJVMCICompiler",
                    List.of("jdk.internal.vm.ci", "jdk.internal.vm.compiler", "jdk.graal.compiler")));

    /** The beginning of a system property's name, and what reads it. */
    private static final Map<String, List<String>> BY_PROPERTY = Map.ofEntries(
            // With what the beans of a whole JDK offer to those who connect, flight recordings among it.
            Map.entry(
                    "com.sun.management.",
                    List.of("jdk.management.agent", "java.management.rmi", "jdk.management", "jdk.management.jfr")),
            Map.entry("java.rmi.", List.of("java.rmi")),
            Map.entry("java.naming.", List.of("java.naming", "jdk.naming.dns", "jdk.naming.rmi")),
            Map.entry("com.sun.jndi.", List.of("java.naming")),
            Map.entry("javax.net.ssl.", List.of("jdk.crypto.ec")),
            Map.entry("java.security.krb5.", List.of("java.security.jgss", "jdk.security.jgss", "jdk.security.auth")),
            Map.entry("sun.security.krb5.", List.of("java.security.jgss", "jdk.security.jgss", "jdk.security.auth")),
            Map.entry(
                    "javax.security.auth.useSubjectCredsOnly",
                    List.of("java.security.jgss", "jdk.security.jgss", "jdk.security.auth")),
            Map.entry("java.security.auth.login.", List.of("jdk.security.auth")),
            Map.entry("java.util.logging.", List.of("java.logging")),
            Map.entry("java.util.prefs.", List.of("java.prefs")),
            Map.entry("jdk.httpclient.", List.of("java.net.http")),
            Map.entry("sun.net.httpserver.", List.of("jdk.httpserver")),
            Map.entry("javax.xml.", List.of("java.xml")),
            Map.entry("jdk.xml.", List.of("java.xml")),
            Map.entry("java.locale.providers", List.of(LocaleUse.MODULE)));

    /** Options whose value names modules, before a slash or an equals sign or separated by commas. */
    private static final List<String> MODULE_OPTIONS =
            List.of("--add-modules", "--add-opens", "--add-exports", "--add-reads", "--enable-native-access");

    private final JdkIndex jdk;
    private final ModuleReasons reasons;

    OptionModules(JdkIndex jdk, ModuleReasons reasons) {
        this.jdk = jdk;
        this.reasons = reasons;
    }

    /** Looks at the options in order: some have their value in the next word. */
    void see(List<String> options) {
        String before = "";
        for (String option : options) {
            if (MODULE_OPTIONS.contains(before)) {
                seeModules(before, option);
            } else if (option.startsWith(PROPERTY)) {
                seeProperty(option);
            } else {
                seeOption(option);
            }
            before = option;
        }
    }

    /** Looks at the environment: variables that choose a language for the C library and the JVM. */
    void seeEnvironment(Map<String, String> environment) {
        environment.forEach((name, value) -> {
            boolean language = name.equals("LANG") || name.equals("LANGUAGE") || name.startsWith("LC_");
            if (language && LocaleUse.isForeignTag(value)) {
                reasons.add(LocaleUse.MODULE, "the variable " + name + "=" + value);
            }
        });
    }

    private void seeOption(String option) {
        BY_OPTION.forEach((beginning, modules) -> {
            if (option.startsWith(beginning)) {
                modules.forEach(module -> reasons.add(module, reason(option)));
            }
        });
        for (String name : MODULE_OPTIONS) {
            if (option.startsWith(name + "=")) {
                seeModules(name, option.substring(name.length() + 1));
            }
        }
    }

    private void seeModules(String option, String value) {
        String named = option.equals("--add-modules") || option.equals("--enable-native-access")
                ? value
                : value.split("[/=]", 2)[0];
        for (String module : named.split(",")) {
            reasons.add(module.strip(), "the option " + option + " " + value);
        }
    }

    private void seeProperty(String option) {
        String name = option.substring(PROPERTY.length()).split("=", 2)[0];
        String value = option.contains("=") ? option.substring(option.indexOf('=') + 1) : "";
        BY_PROPERTY.forEach((beginning, modules) -> {
            if (name.startsWith(beginning)) {
                modules.forEach(module -> reasons.add(module, reason(option)));
            }
        });
        if (name.matches("user\\.(language|country|region)(\\..*)?") && !value.equals("en") && !value.equals("US")) {
            reasons.add(LocaleUse.MODULE, reason(option));
        }
        if (name.endsWith(".encoding") && jdk.isExtendedCharset(value)) {
            reasons.add(JdkIndex.CHARSETS, reason(option));
        }
        ImpliedModules.behindText(value).forEach(module -> reasons.add(module, reason(option)));
        DottedNames.in(value, className -> {
            String owner = jdk.owner(className);
            if (owner != null) {
                reasons.add(owner, reason(option));
            }
        });
    }

    private static String reason(String option) {
        return "the option " + option.split("[=:]", 2)[0];
    }
}
