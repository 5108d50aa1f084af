package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Collects the native libraries that programs and libraries need, and what those need, from a root file system: the
 * build machine's or a given one. A library keeps the path it was found at, where the dynamic linker that comes along
 * looks for it; search paths inside of the files
 * are not needed, since they lead to what comes along with them.
 */
public final class LibraryClosure {

    /** Where dynamic linkers look by themselves: Debian's directories first, then those of others. */
    private static final List<String> DIRECTORIES = List.of("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
            "/lib64", "/usr/lib64", "/lib", "/usr/lib");
    /**
     * What glibc loads by name at run time: for pthread_cancel and for names of hosts (nsswitch.conf(5)). Not every
     * version of it has every one.
     */
    private static final List<String> LOADED_BY_NAME = List.of("libgcc_s.so.1", "libnss_files.so.2",
            "libnss_dns.so.2", "libresolv.so.2");
    private static final int MAX_LINKS = 16;

    private final Path root;
    /** Path in the image, and the file on this machine. */
    private final Map<String, Path> found = new TreeMap<>();
    private final Set<String> provided = new HashSet<>();
    private final Deque<Path> open = new ArrayDeque<>();
    private final List<JarLibraries.JarLibrary> inJars = new ArrayList<>();
    private final List<String> unresolved = new ArrayList<>();

    /**
     * Starts with nothing.
     *
     * @param root root directory under which libraries are looked for
     */
    public LibraryClosure(Path root) {
        this.root = root;
    }

    /** Adds what those of the files need that are ELF files; what is among them is there already. */
    public LibraryClosure add(List<Path> files) throws IOException {
        for (Path file : files) {
            if (Files.isRegularFile(file) && ElfFile.read(file).isPresent()) {
                provided.add(file.getFileName().toString());
                open.add(file);
            }
        }
        return this;
    }

    /**
     * Adds what the native libraries in the jars need. What of that is not to be found is no error, since the program
     * may never load the library: {@link #unresolved()} tells.
     */
    public LibraryClosure addJars(List<Path> jars) throws IOException {
        for (Path jar : jars) {
            for (JarLibraries.JarLibrary library : JarLibraries.in(jar)) {
                provided.add(library.name());
                inJars.add(library);
            }
        }
        return this;
    }

    /** After {@link #resolve()}: a sentence for each library in a jar that will not load, and why. */
    public List<String> unresolved() {
        return unresolved;
    }

    /** The closure: each path in the image with the file it comes from. */
    public Map<String, Path> resolve() throws IOException, SettingException {
        boolean glibc = false;
        for (JarLibraries.JarLibrary library : inJars) {
            addNeededIfFound(library);
        }
        while (!open.isEmpty()) {
            Path file = open.remove();
            ElfFile elf = ElfFile.read(file).orElseThrow(() -> new IOException(file + " is not an ELF file. Replace it."));
            glibc |= elf.needed().contains("libc.so.6");
            addInterpreter(file, elf);
            for (String name : elf.needed()) {
                addLibrary(file, name);
            }
            if (open.isEmpty() && glibc) {
                addLoadedByName();
            }
        }
        return found;
    }

    private void addInterpreter(Path file, ElfFile elf) throws IOException, SettingException {
        String path = elf.interpreter();
        if (path == null || found.containsKey(path)) {
            return;
        }
        Path source = locate(path).orElseThrow(() -> missing(path, file));
        found.put(path, source);
        provided.add(Path.of(path).getFileName().toString());
        open.add(source);
    }

    private void addLibrary(Path file, String name) throws IOException, SettingException {
        if (provided.contains(name)) {
            return;
        }
        if (!addFound(name)) {
            throw missing(name, file);
        }
    }

    private void addNeededIfFound(JarLibraries.JarLibrary library) throws IOException {
        for (String name : library.elf().needed()) {
            if (!provided.contains(name) && !addFound(name)) {
                unresolved.add("The native library " + name + ", needed by " + library.place() + ", is not under "
                        + root + ": where the application loads it, it will fail. Install the package that has it, or"
                        + " set sysroot to the root directory of a Linux x86-64 system.");
            }
        }
    }

    private void addLoadedByName() throws IOException {
        for (String name : LOADED_BY_NAME) {
            if (!provided.contains(name)) {
                addFound(name);
            }
        }
    }

    private boolean addFound(String name) throws IOException {
        for (String directory : DIRECTORIES) {
            String path = directory + "/" + name;
            Optional<Path> source = locate(path);
            if (source.isPresent()) {
                found.put(path, source.get());
                provided.add(name);
                open.add(source.get());
                return true;
            }
        }
        return false;
    }

    /** The file a path stands for; links are followed inside the root, also absolute ones. */
    private Optional<Path> locate(String path) throws IOException {
        Path file = inRoot(path);
        for (int links = 0; links < MAX_LINKS && Files.isSymbolicLink(file); links++) {
            Path target = Files.readSymbolicLink(file);
            file = target.isAbsolute() ? inRoot(target.toString()) : file.resolveSibling(target).normalize();
        }
        return Files.isRegularFile(file) ? Optional.of(file) : Optional.empty();
    }

    private Path inRoot(String path) {
        return root.resolve(path.substring(1));
    }

    private SettingException missing(String name, Path neededBy) {
        return new SettingException("sysroot", "The native library " + name + ", needed by " + neededBy
                + ", is not under " + root + ".",
                "Install the package that has it, or set sysroot to the root directory of a Linux x86-64 system.");
    }
}
