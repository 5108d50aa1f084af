// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.github.javaunikernel.maven.boot.Debugger;
import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.Jmx;
import io.github.javaunikernel.maven.boot.ScratchDisk;
import io.github.javaunikernel.maven.image.ImageEntry;
import io.github.javaunikernel.maven.image.ImageSummary;
import io.github.javaunikernel.maven.runtime.JavaHome;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** The text of {@code NAME.unikernel.json}: all that is in an image, and where it came from. */
final class ManifestFile {

    /** Raised when a reader of the older form would misread the newer. */
    private static final int SCHEMA = 1;

    private static final Gson GSON =
            new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    private ManifestFile() {}

    /**
     * Makes the text.
     *
     * @param java what the program needs of a JDK, or empty for an executable
     * @param libraries the system's libraries, each with the reason why it is there
     */
    static String text(
            ImageRequest request, ImageSummary summary, Optional<JavaProgram> java, Map<String, String> libraries) {
        Map<String, Object> root = new LinkedHashMap<>();
        root.put("schema", SCHEMA);
        root.put("name", request.name());
        root.put("created", request.time().toString());
        root.put(
                "image",
                map(
                        "file",
                        request.imageFile().getFileName().toString(),
                        "size",
                        summary.size(),
                        "uuid",
                        summary.uuid().toString(),
                        "uefi",
                        request.firmware() == Firmware.UEFI));
        root.put(
                "kernel",
                map(
                        "version",
                        request.kernel().version(),
                        "options",
                        request.machine().commandLine().text()));
        java.ifPresent(program -> root.put("jdk", jdk(request.runtime().jdk(), program)));
        root.put("application", application(request, summary, java));
        root.put(
                "machine",
                map(
                        "memory",
                        request.machine().memory(),
                        "vcpus",
                        request.machine().vcpus(),
                        "network",
                        request.machine().network().text(),
                        "hostname",
                        request.machine().hostName(),
                        "scratchBytes",
                        request.machine().scratch().map(ScratchDisk::size).orElse(0L),
                        "dataDisks",
                        request.machine().dataDisks()));
        root.put("parts", parts(summary));
        root.put(
                "files",
                summary.entries().stream()
                        .map(entry -> file(entry, libraries.get(entry.path())))
                        .toList());
        return GSON.toJson(root) + "\n";
    }

    private static Map<String, Object> jdk(JavaHome jdk, JavaProgram java) {
        return map(
                "version",
                jdk.runtimeVersion(),
                "vendor",
                jdk.vendor(),
                "modulesInUse",
                java.moduleReasons().keySet(),
                "modules",
                versioned(java.linked(), jdk.version()),
                "moduleReasons",
                java.modules().reasons(java.moduleReasons()),
                "moduleBytes",
                java.modules().bytes());
    }

    private static Map<String, Object> application(
            ImageRequest request, ImageSummary summary, Optional<JavaProgram> java) {
        Application program = request.application();
        Map<String, Object> application = new LinkedHashMap<>();
        if (java.isPresent()) {
            application.put("mainClass", java.get().mainClass());
            application.put(
                    "classPath",
                    program.jars().stream().map(Application.Jar::origin).toList());
            Debugger.port(program.jvmArguments()).ifPresent(port -> application.put("debugPort", port));
            Jmx.port(program.jvmArguments()).ifPresent(port -> application.put("jmxPort", port));
        } else {
            application.put("executable", program.executable());
        }
        if (summary.entries().stream().anyMatch(entry -> entry.path().equals(Paths.TRAINING_CONFIG))) {
            application.put("trainingConfig", Paths.TRAINING_CONFIG);
        }
        java.map(started -> started.classData().recording())
                .ifPresent(recording -> application.put("aotRecording", recording));
        if (!program.checkArguments().isEmpty()) {
            application.put("check", map("config", Paths.CHECK_CONFIG, "arguments", program.checkArguments()));
        }
        return application;
    }

    private static Map<String, String> versioned(List<String> modules, String version) {
        Map<String, String> versions = new TreeMap<>();
        modules.forEach(module -> versions.put(module, version));
        return versions;
    }

    /** Bytes of content by part, what the file system itself takes, less holes, and the room between files. */
    private static Map<String, Long> parts(ImageSummary summary) {
        Map<String, Long> parts = new LinkedHashMap<>();
        for (String name : List.of("kernel", "runtime", "classData", "libraries", "application", "other")) {
            parts.put(name, 0L);
        }
        for (ImageEntry entry : summary.entries()) {
            parts.merge(part(entry), entry.size(), Long::sum);
        }
        long content = parts.values().stream().mapToLong(Long::longValue).sum();
        parts.put("fileSystem", summary.stored() - content);
        parts.put("free", summary.size() - summary.stored());
        return parts;
    }

    private static String part(ImageEntry entry) {
        if (entry.path().equals(Paths.KERNEL) || entry.path().equals(Paths.BIOS_LOADER)) {
            return "kernel";
        }
        if (entry.path().endsWith(".jsa") || entry.path().equals(Paths.AOT_CACHE)) {
            return "classData";
        }
        if (entry.path().startsWith(Paths.RUNTIME + "/")) {
            return "runtime";
        }
        if (entry.path().startsWith(Paths.APPLICATION + "/")) {
            return "application";
        }
        return entry.origin().startsWith("system:") ? "libraries" : "other";
    }

    private static Map<String, Object> file(ImageEntry entry, String reason) {
        Map<String, Object> file = map(
                "path",
                entry.path(),
                "type",
                entry.type(),
                "mode",
                String.format("%04o", entry.permissions()),
                "size",
                entry.size(),
                "origin",
                entry.origin());
        if (entry.sha256() != null) {
            file.put("sha256", entry.sha256());
        }
        if (entry.target() != null) {
            file.put("target", entry.target());
        }
        if (reason != null) {
            file.put("reason", reason);
        }
        return file;
    }

    private static Map<String, Object> map(Object... keysAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }
}
