// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import io.github.javaunikernel.maven.runtime.Jar;
import io.github.javaunikernel.maven.runtime.ModuleAnalysis;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;

/**
 * How the JVM starts an application: as {@code java -jar} does it, with what the manifest of its jar asks for, or as a
 * module.
 */
final class Launch {

    private static final Attributes.Name AGENT = new Attributes.Name("Launcher-Agent-Class");
    /** What else the manifest of an agent says; java.lang.instrument describes it. */
    private static final List<String> OF_AGENTS =
            List.of("Can-Redefine-Classes", "Can-Retransform-Classes", "Can-Set-Native-Method-Prefix");

    private static final String NATIVE_ACCESS = "Enable-Native-Access";
    /** The first Java whose launcher reads that attribute. */
    private static final int NATIVE_ACCESS_SINCE = 22;

    private final Application application;
    private final String mainClass;
    private final Attributes attributes;

    private Launch(Application application, String mainClass, Attributes attributes) {
        this.application = application;
        this.mainClass = mainClass;
        this.attributes = attributes;
    }

    static Launch of(Application application, String mainClass) throws IOException {
        return new Launch(
                application, mainClass, Jar.attributes(application.classPath().get(0)));
    }

    /**
     * The options that the manifest implies. As with {@code java -jar}, packages of absent modules are ignored, and a
     * module has no such options.
     *
     * @param linked modules of the runtime
     * @param feature its version
     */
    List<String> options(Set<String> linked, int feature) throws SettingException {
        List<String> options = new ArrayList<>();
        if (application.asModule()) {
            return options;
        }
        for (String item : words("Add-Exports")) {
            if (linked.contains(item.split("/")[0])) {
                options.add("--add-exports=" + item + "=ALL-UNNAMED");
            }
        }
        for (String item : words("Add-Opens")) {
            if (linked.contains(item.split("/")[0])) {
                options.add("--add-opens=" + item + "=ALL-UNNAMED");
            }
        }
        if (feature >= NATIVE_ACCESS_SINCE && !words(NATIVE_ACCESS).isEmpty()) {
            options.add("--enable-native-access=ALL-UNNAMED");
        }
        return options;
    }

    /**
     * The words of the command line that name the program.
     *
     * @param classPath its jars, where the JVM finds them
     */
    List<String> command(List<String> classPath) throws IOException, SettingException {
        String path = String.join(":", classPath);
        if (application.asModule()) {
            return List.of("--module-path", path, "--module", moduleName() + "/" + mainClass);
        }
        return hasAgent() ? List.of("-jar", Paths.LAUNCHER) : List.of("-cp", path, mainClass);
    }

    /** Whether an agent is to be started before the program, which only {@code java -jar} does. */
    boolean hasAgent() {
        return attributes.containsKey(AGENT) && !application.asModule();
    }

    /** A jar with nothing but a manifest, which starts the agent and the program. */
    byte[] launcher(List<String> classPath, Instant time) throws IOException {
        Manifest manifest = new Manifest();
        Attributes main = manifest.getMainAttributes();
        main.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        main.put(Attributes.Name.MAIN_CLASS, mainClass);
        main.put(
                Attributes.Name.CLASS_PATH,
                String.join(
                        " ",
                        classPath.stream()
                                .map(path -> Path.of(path).toUri().getRawPath())
                                .toList()));
        main.put(AGENT, attributes.getValue(AGENT));
        for (String name : OF_AGENTS) {
            if (attributes.getValue(name) != null) {
                main.putValue(name, attributes.getValue(name));
            }
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JarOutputStream jar = new JarOutputStream(bytes)) {
            JarEntry entry = new JarEntry(JarFile.MANIFEST_NAME);
            entry.setTime(time.toEpochMilli());
            jar.putNextEntry(entry);
            manifest.write(jar);
        }
        return bytes.toByteArray();
    }

    private String moduleName() throws IOException, SettingException {
        Path jar = application.classPath().get(0);
        return ModuleAnalysis.moduleName(jar)
                .orElseThrow(() -> new SettingException(
                        "modulePath",
                        jar.getFileName() + " is not a module: it has no module-info.class.",
                        "Write a module-info.java, or set it to false."));
    }

    private List<String> words(String attribute) {
        String value = attributes.getValue(attribute);
        return value == null || value.isBlank()
                ? List.of()
                : List.of(value.strip().split("\\s+"));
    }
}
