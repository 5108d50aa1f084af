package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** Finds the modules of a JDK that jars use, by jdeps and by the few uses that jdeps cannot see. */
public final class ModuleAnalysis {

    private static final String PARAMETER = "modules";

    private final JavaHome jdk;

    /** Looks for modules of the given JDK. */
    public ModuleAnalysis(JavaHome jdk) {
        this.jdk = jdk;
    }

    /**
     * The modules that the jars use directly; jlink adds what those require.
     *
     * @param jars everything on the class path of the application
     */
    public Set<String> modulesUsedBy(List<Path> jars) throws IOException, SettingException {
        Set<String> modules = new TreeSet<>();
        modules.add("java.base");
        modules.addAll(jdeps(jars));
        modules.addAll(ImpliedModules.of(jars));
        modules.retainAll(jdk.modules());
        return modules;
    }

    /** Fails when a name is no module of the JDK. */
    public void check(String parameter, Set<String> names) throws SettingException {
        for (String name : names) {
            if (!jdk.modules().contains(name)) {
                throw new SettingException(parameter, "The JDK at " + jdk.path() + " has no module " + name + ".",
                        "Correct the name ('java --list-modules' prints all) or choose another JDK with jdkHome.");
            }
        }
    }

    private Set<String> jdeps(List<Path> jars) throws IOException, SettingException {
        String path = jars.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
        List<String> command = new ArrayList<>(List.of(jdk.tool("jdeps"), "--ignore-missing-deps",
                "--print-module-deps", "--multi-release", Integer.toString(jdk.feature()),
                // Modular jars are found as modules, so that what they require is there.
                "--module-path", path, "--class-path", path));
        jars.forEach(jar -> command.add(jar.toString()));
        try {
            List<String> lines = Tool.run(command).lines().filter(line -> !line.isBlank()).toList();
            return Set.of(lines.get(lines.size() - 1).strip().split(","));
        } catch (ToolException e) {
            throw new SettingException(PARAMETER, "jdeps could not find the modules in use: " + e.getMessage(),
                    "Name the modules of the JDK that the application needs.", e);
        }
    }
}
