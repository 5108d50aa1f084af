// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Collects the native libraries that programs and libraries need, and what those need, from a root file system: the
 * build machine's or a given one. A library keeps the path it was found at, where the dynamic linker that comes along
 * looks for it, by itself or since a search path inside of a file says so. What libraries open by name is found in the
 * texts of the application's own ones; those of the JDK are known.
 */
public final class LibraryClosure {

    /** Where dynamic linkers look by themselves: Debian's directories first, then those of others. */
    private static final List<String> DIRECTORIES =
            List.of("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib");
    /**
     * What glibc loads by name at run time: for pthread_cancel and for names of hosts (nsswitch.conf(5)). Not every
     * version of it has every one.
     */
    private static final List<String> LOADED_BY_NAME =
            List.of("libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2");

    private final SystemRoot root;
    /** Path in the image, and the file on this machine. */
    private final Map<String, Path> found = new TreeMap<>();

    /** Why each of them is there, for people to read. */
    private final Map<String, String> reasons = new TreeMap<>();

    private final Set<String> provided = new HashSet<>();
    /** By name, where the bytes of those that are provided are, except for those in jars. */
    private final Map<String, Path> sources = new HashMap<>();
    /** What was looked through, and what it says. */
    private final Map<Path, ElfFile> read = new LinkedHashMap<>();

    private final Deque<Path> open = new ArrayDeque<>();
    private final List<JarLibraries.JarLibrary> inJars = new ArrayList<>();
    /** Names and paths of libraries that the application's own open by name, and the first that does. */
    private final Map<String, String> opened = new TreeMap<>();

    private final List<String> unresolved = new ArrayList<>();
    private final Set<String> missing = new TreeSet<>();

    /**
     * Starts with nothing.
     *
     * @param root where libraries are looked for
     */
    public LibraryClosure(SystemRoot root) {
        this.root = root;
    }

    /** Adds what the ELF files among these need; the files themselves count as present. */
    public LibraryClosure add(List<Path> files) throws IOException {
        for (Path file : files) {
            if (Files.isRegularFile(file) && ElfFile.read(file).isPresent()) {
                provided.add(file.getFileName().toString());
                sources.put(file.getFileName().toString(), file);
                open.add(file);
            }
        }
        return this;
    }

    /** As {@link #add}, for the user's own files; also adds what they open by name (dlopen(3)) if it can be found. */
    public LibraryClosure addOwn(List<Path> files) throws IOException {
        for (Path file : files) {
            if (Files.isRegularFile(file)
                    && ElfFile.read(file).filter(elf -> !elf.isStatic()).isPresent()) {
                for (String name : OpenedLibraries.in(file)) {
                    opened.putIfAbsent(name, "named by " + file.getFileName());
                }
            }
        }
        return add(files);
    }

    /**
     * Adds a library that something opens by name, if it can be found; returns whether it was.
     *
     * @param user what opens it, for people to read
     */
    public boolean addNamed(String name, String user) throws IOException {
        return provided.contains(name) || addFound(name, List.of(), "opened by " + user);
    }

    /**
     * Adds what the native libraries in the jars need. What cannot be found is no error, since the program may never
     * load the library: {@link #unresolved()} lists it.
     */
    public LibraryClosure addJars(JarLibraries jars) {
        for (JarLibraries.JarLibrary library : jars.all()) {
            provided.add(library.name());
            inJars.add(library);
            library.opened().forEach(name -> opened.putIfAbsent(name, "named by " + library.place()));
        }
        return this;
    }

    /** After {@link #resolve()}: a sentence for each library in a jar that will not load, and why. */
    public List<String> unresolved() {
        return unresolved;
    }

    /** After {@link #resolve()}: names of libraries that something may load or open and that could not be found. */
    public Set<String> missing() {
        return missing;
    }

    /** After {@link #resolve()}: for each path in the image, why it is there. */
    public Map<String, String> reasons() {
        return reasons;
    }

    /** The closure: each path in the image with the file it comes from. */
    public Map<String, Path> resolve() throws IOException, SettingException {
        boolean glibc = false;
        for (JarLibraries.JarLibrary library : inJars) {
            addNeededIfFound(library);
        }
        for (Map.Entry<String, String> library : opened.entrySet()) {
            String name = library.getKey();
            boolean there = name.startsWith("/")
                    ? addAt(name, library.getValue())
                    : provided.contains(name) || addFound(name, List.of(), library.getValue());
            if (!there) {
                missing.add(name);
            }
        }
        while (!open.isEmpty()) {
            Path file = open.remove();
            ElfFile elf = ElfFile.read(file)
                    .orElseThrow(() -> new ExplainedException(file + " is not an ELF file. Replace it."));
            read.put(file, elf);
            glibc |= elf.needed().contains("libc.so.6");
            addInterpreter(file, elf);
            for (String name : elf.needed()) {
                addLibrary(file, name, elf.searchPath());
            }
            if (open.isEmpty() && glibc) {
                addLoadedByName();
            }
        }
        for (Map.Entry<Path, ElfFile> user : read.entrySet()) {
            checkVersions(user.getKey(), user.getValue().versions().needed());
        }
        return found;
    }

    /** The dynamic linker refuses a program that needs a version of a symbol which the library does not have. */
    private void checkVersions(Path user, Map<String, Set<String>> needed) throws SettingException {
        for (Map.Entry<String, Set<String>> library : needed.entrySet()) {
            Path source = sources.get(library.getKey());
            Set<String> defined =
                    source == null ? Set.of() : read.get(source).versions().defined();
            Set<String> missing = new TreeSet<>(library.getValue());
            missing.removeAll(defined);
            // The linker does not refuse a library without any versions, such as musl's.
            if (!defined.isEmpty() && !missing.isEmpty()) {
                throw new SettingException(
                        "sysroot",
                        user + " needs " + String.join(", ", missing) + " of " + library.getKey() + ", which " + source
                                + " does not have: it was linked with a newer version of that library.",
                        "Link it on the system that sysroot names, or set sysroot to the root directory of a newer"
                                + " one.");
            }
        }
    }

    private void addInterpreter(Path file, ElfFile elf) throws IOException, SettingException {
        String path = elf.interpreter();
        if (path == null || found.containsKey(path)) {
            return;
        }
        Path source = root.file(path).orElseThrow(() -> missing("The dynamic linker " + path + " of " + file));
        found.put(path, source);
        reasons.put(path, "the dynamic linker of " + file.getFileName());
        provide(path, source);
    }

    private void addLibrary(Path file, String name, List<String> searchPath) throws IOException, SettingException {
        if (provided.contains(name)) {
            return;
        }
        if (!addFound(name, searchPath, "needed by " + file.getFileName())) {
            throw missing("The native library " + name + ", needed by " + file + ",");
        }
    }

    private void addNeededIfFound(JarLibraries.JarLibrary library) throws IOException {
        for (String name : library.elf().needed()) {
            if (!provided.contains(name)
                    && !addFound(name, library.elf().searchPath(), "needed by " + library.place())) {
                missing.add(name);
                unresolved.add("The native library " + name + ", needed by " + library.place() + ", is missing in "
                        + root + ", so loading it will fail. Install the package that has it, or"
                        + " set sysroot to the root directory of a Linux x86-64 system.");
            }
        }
    }

    private void addLoadedByName() throws IOException {
        for (String name : LOADED_BY_NAME) {
            if (!provided.contains(name)) {
                addFound(name, List.of(), "opened by the C library");
            }
        }
    }

    /** The file's own search path comes first, as for the dynamic linker (ld.so(8)). */
    private boolean addFound(String name, List<String> searchPath, String reason) throws IOException {
        for (String directory : searchPath) {
            if (addAt(directory + "/" + name, reason)) {
                return true;
            }
        }
        for (String directory : DIRECTORIES) {
            if (addAt(directory + "/" + name, reason)) {
                return true;
            }
        }
        return false;
    }

    private boolean addAt(String path, String reason) throws IOException {
        Optional<Path> source = root.file(path);
        if (source.isEmpty() || found.containsKey(path)) {
            return source.isPresent();
        }
        found.put(path, source.get());
        reasons.put(path, reason);
        provide(path, source.get());
        return true;
    }

    private void provide(String path, Path source) {
        String name = path.substring(path.lastIndexOf('/') + 1);
        provided.add(name);
        sources.put(name, source);
        open.add(source);
    }

    private SettingException missing(String what) {
        return new SettingException(
                "sysroot",
                what + " is missing in " + root + ".",
                "Install the package that has it, or set sysroot to the root directory of a Linux x86-64 system.");
    }
}
