package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Finds the modules of a JDK that jars use: those that have a class which a class of the jars mentions, and the few
 * that {@link ImpliedModules} knows. What jdeps does, on the class path as the image has it: jdeps itself takes jars
 * with a module description as modules and fails when what they require optionally is not there.
 */
public final class ModuleAnalysis {

    private static final String VERSIONS = "META-INF/versions/";

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
    public Set<String> modulesUsedBy(List<Path> jars) throws IOException {
        Set<String> references = new HashSet<>();
        for (Path jar : jars) {
            addReferences(jar, references);
        }
        Set<String> modules = new TreeSet<>(ImpliedModules.of(references));
        modules.retainAll(jdk.modules());
        modules.add("java.base");
        try (FileSystem classes = FileSystems.newFileSystem(URI.create("jrt:/"),
                Map.of("java.home", jdk.path().toString()))) {
            modules.addAll(owners(classes, references));
        }
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

    private void addReferences(Path jar, Set<String> references) throws IOException {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            for (ZipEntry entry : (Iterable<ZipEntry>) zip.stream().map(ZipEntry.class::cast)::iterator) {
                if (!isUsed(entry.getName())) {
                    continue;
                }
                try (InputStream in = zip.getInputStream(entry)) {
                    references.addAll(ClassFile.read(in).references());
                } catch (IOException e) {
                    throw new IOException(jar + " has a class file that cannot be read, " + entry.getName() + ": "
                            + e.getMessage() + ". Replace the jar.", e);
                }
            }
        }
    }

    /** Whether the JVM would load the entry: a class, and if it is for certain versions of Java, for this one. */
    private boolean isUsed(String entry) {
        if (!entry.endsWith(".class") || entry.endsWith("module-info.class")) {
            return false;
        }
        if (!entry.startsWith(VERSIONS)) {
            return true;
        }
        String version = entry.substring(VERSIONS.length()).split("/")[0];
        return version.matches("\\d{1,4}") && Integer.parseInt(version) <= jdk.feature();
    }

    /** The modules that have the classes; names of classes that the JDK does not have are passed over. */
    private static Set<String> owners(FileSystem classes, Set<String> references) throws IOException {
        Map<String, List<String>> modulesOfPackage = new HashMap<>();
        Set<String> owners = new TreeSet<>();
        for (String reference : references) {
            int slash = reference.lastIndexOf('/');
            if (slash <= 0) {
                continue;
            }
            String name = reference.substring(0, slash).replace('/', '.');
            List<String> candidates = modulesOfPackage.get(name);
            if (candidates == null) {
                candidates = modulesWith(classes, name);
                modulesOfPackage.put(name, candidates);
            }
            for (String module : candidates) {
                // A package is also listed for modules that only have packages below it.
                if (!owners.contains(module) && Files.exists(classes.getPath("/modules", module, reference + ".class"))) {
                    owners.add(module);
                }
            }
        }
        return owners;
    }

    private static List<String> modulesWith(FileSystem classes, String packageName) throws IOException {
        Path links = classes.getPath("/packages", packageName);
        if (!Files.isDirectory(links)) {
            return List.of();
        }
        try (var modules = Files.list(links)) {
            return modules.map(module -> module.getFileName().toString()).toList();
        }
    }
}
