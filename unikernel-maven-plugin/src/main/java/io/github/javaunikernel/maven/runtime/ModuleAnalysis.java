// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Finds the modules of a JDK that an application needs: those with a class that a class of its jars mentions, and those
 * that are needed by name, by option or by data. When in doubt a module counts as needed, because a missing one is
 * noticed late or never.
 */
public final class ModuleAnalysis {

    private final JavaHome jdk;

    /** Looks for modules of the given JDK. */
    public ModuleAnalysis(JavaHome jdk) {
        this.jdk = jdk;
    }

    /**
     * The modules that an application uses directly; jlink adds what those require.
     *
     * @param jars everything on the class path and the module path of the application
     * @param options of the JVM, system properties among them
     * @param environment of the application
     */
    public ModuleReasons modulesUsedBy(List<Path> jars, List<String> options, Map<String, String> environment)
            throws IOException {
        ModuleReasons reasons = new ModuleReasons(jdk.modules());
        reasons.mention(JdkIndex.BASE, "every program uses it");
        try (JdkIndex index = new JdkIndex(jdk)) {
            JarSurvey survey = new JarSurvey(index, reasons, jdk.feature());
            for (Path jar : jars) {
                survey.see(jar);
            }
            survey.end();
            OptionModules ofOptions = new OptionModules(index, reasons);
            ofOptions.see(options);
            ofOptions.seeEnvironment(environment);
        }
        return reasons;
    }

    /** The name of the module that a jar describes; empty when it describes none. */
    public static Optional<String> moduleName(Path jar) throws IOException {
        return Jar.read(jar, ModuleAnalysis::moduleName);
    }

    private static Optional<String> moduleName(ZipFile jar) throws IOException {
        ZipEntry entry = jar.getEntry("module-info.class");
        if (entry == null) {
            return Optional.empty();
        }
        try (InputStream in = jar.getInputStream(entry)) {
            return Optional.of(JdkIndex.descriptor(in).name());
        }
    }

    /** Fails when a name is no module of the JDK. */
    public void check(String parameter, Set<String> names) throws SettingException {
        for (String name : names) {
            if (!jdk.modules().contains(name)) {
                throw new SettingException(
                        parameter,
                        "The JDK at " + jdk.path() + " has no module " + name + ".",
                        "Correct the name ('java --list-modules' prints all) or choose another JDK with jdkHome.");
            }
        }
    }
}
