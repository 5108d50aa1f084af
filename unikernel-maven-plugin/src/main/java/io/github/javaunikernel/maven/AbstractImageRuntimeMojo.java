// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.assembly.RuntimeChoice;
import io.github.javaunikernel.maven.boot.ClassDataAddress;
import io.github.javaunikernel.maven.boot.Kernel;
import io.github.javaunikernel.maven.runtime.ClassDataMode;
import io.github.javaunikernel.maven.runtime.JavaHome;
import io.github.javaunikernel.maven.runtime.LinuxSystem;
import io.github.javaunikernel.maven.runtime.SystemRoot;
import io.github.javaunikernel.maven.runtime.UnpackedArchives;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.plugins.annotations.Component;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.toolchain.ToolchainManager;
import org.eclipse.aether.RepositorySystem;

/** The parameters of what an image takes from a JDK and from a Linux system. */
abstract class AbstractImageRuntimeMojo extends AbstractImageFilesMojo {

    /** The systems that come with the plugin; the rest of their coordinates follows. */
    private static final String SYSROOT = Kernel.GROUP + ":sysroot:";

    /** The build. */
    @Parameter(defaultValue = "${session}", readonly = true, required = true)
    MavenSession session;

    @Component
    private RepositorySystem repositories;

    @Component
    private ToolchainManager toolchainManager;

    /**
     * Root modules of the runtime, instead of those that the classes use, such as {@code java.base,java.logging}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.modules")
    private Set<String> modules = Set.of();

    /**
     * Root modules of the runtime in addition to those that are detected, for classes that are used by reflection only,
     * such as {@code java.sql,jdk.crypto.ec}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.additionalModules")
    private Set<String> additionalModules = Set.of();

    /**
     * Locales whose formats the runtime has in addition to English, such as {@code de,fr-CH,zh-Hant}. The default is
     * all locales, about 9 MB of image, if the classes, options or resources show that other languages are used, and
     * none otherwise. With {@code en} there are never any.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.locales")
    private Set<String> locales = Set.of();

    /**
     * JDK from which the runtime is linked: its home, an archive of one ({@code tar.gz} or {@code zip}), or the
     * coordinates of an artifact that is such an archive, as {@code GROUP:ARTIFACT:EXTENSION:CLASSIFIER:VERSION}, such
     * as {@code com.example.jdks:temurin:tar.gz:linux-x64:21.0.5}. It must be for Linux on x86-64. The default is the
     * JDK of the build's toolchain, or else the one that runs Maven.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jdkHome")
    private String jdkHome;

    /**
     * SHA-256 of the archive that {@code jdkHome} names, in hexadecimal, such as {@code sha256sum} prints it. An
     * archive with another one is refused.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jdkChecksum")
    private String jdkChecksum;

    /**
     * Linux system from which native libraries, the locale C.UTF-8 and fonts are copied into the image: its root
     * directory, an archive of that ({@code tar.gz} or {@code zip}), or the coordinates of an artifact that is such an
     * archive. The default is the artifact {@code io.github.javaunikernel:sysroot} of the plugin's version, with which
     * images are the same from every build machine; if it lacks something that the program needs, the same with the
     * classifier {@code desktop}, and last this machine's system if it is Linux on x86-64, with a line that says why.
     * {@code /} takes everything from this machine, and so does a directory such as {@code /srv/debian13} from that
     * one.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.sysroot")
    private String sysroot;

    /**
     * Files with certificates, such as {@code ca.pem}, that the runtime trusts in addition to those that its JDK
     * trusts: in PEM or DER format, or key stores with the password {@code changeit}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.trustedCertificates")
    private List<File> trustedCertificates = List.of();

    /**
     * Whether to compress the classes of the JDK. This makes the image smaller, for a little more work at the first use
     * of a class.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.compress", defaultValue = "true")
    private boolean compress;

    /**
     * Whether to remove line numbers and variable names from the JDK's classes. Those of the application are kept.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.stripDebug", defaultValue = "true")
    private boolean stripDebug;

    /**
     * Whether to remove debug symbols from the native libraries of the JDK and the system.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.stripNative", defaultValue = "true")
    private boolean stripNative;

    /**
     * Class data that the image gets, from which the JVM takes classes without reading and checking class files:
     * {@code off}, {@code jdk} for those of the JDK, {@code app} for those of the JDK and the application that
     * {@code classList} names, or {@code aot} for the AOT cache of Java 25 and later, which also has profiles of
     * methods, but is different in each build and needs a new {@code unikernel:train} after each change. They shorten
     * the start and add 10 MB or more to the image. The plugin creates them by running the linked runtime, but not the
     * application. The default is {@code app} if there is a class list; else {@code jdk} from Java 18 on, and
     * {@code off} with Java 17, which creates slightly different class data at times, and therefore a different image.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.cds")
    private String cds;

    /**
     * Where the JVM maps class data: {@code random}, elsewhere at each start, or {@code fixed}, which takes less memory
     * and time, but lets an attacker who can make the JVM jump know where classes and their tables of methods lie.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.cdsAddress", defaultValue = "random")
    private String cdsAddress;

    /**
     * List of the classes for {@code cds=app}, which {@code unikernel:train} writes.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.classList", defaultValue = "${project.basedir}/src/main/unikernel.classlist")
    private File classList;

    /**
     * Directory in which linked runtimes and class data are kept, so that this and other projects can use them again.
     * You can delete it at any time between builds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.cacheDirectory", defaultValue = "${user.home}/.cache/unikernel")
    private File cacheDirectory;

    /**
     * Largest size in MiB of everything that is kept in {@code cacheDirectory}; 0 for no limit. Beyond it, the plugin
     * deletes what was used least recently, except for what was used within the last hour.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.cacheLimit", defaultValue = "2048")
    private int cacheLimit;

    @Parameter(defaultValue = "${project.basedir}/src/main/unikernel.classlist", readonly = true, required = true)
    private File defaultClassList;

    /**
     * The runtime of an image.
     *
     * @param java whether the image has one; the others take only native libraries from here
     * @param furtherModules that the image needs besides those of the parameters
     */
    final RuntimeChoice runtime(boolean java, Set<String> furtherModules) throws SettingException, IOException {
        checkLimit("cacheLimit", cacheLimit);
        checkCache();
        Set<String> rootModules = new LinkedHashSet<>(additionalModules);
        rootModules.addAll(furtherModules);
        JavaHome jdk = java ? JavaHome.at(jdk()) : null;
        Path list = classList.toPath();
        return new RuntimeChoice(
                jdk,
                modules,
                rootModules,
                locales,
                compress,
                stripDebug,
                stripNative,
                java ? ClassDataMode.of(cds, list, jdk) : ClassDataMode.OFF,
                ClassDataAddress.parse(cdsAddress),
                list,
                systems(),
                trustedCertificates.stream().map(File::toPath).toList(),
                cacheDirectory.toPath(),
                cacheBytes());
    }

    /** The parameters that only a Java program has a use for, and whether each has been given another value. */
    Map<String, Boolean> javaParameters() throws SettingException {
        Map<String, Boolean> given = new LinkedHashMap<>();
        given.put("modules", !modules.isEmpty());
        given.put("additionalModules", !additionalModules.isEmpty());
        given.put("locales", !locales.isEmpty());
        given.put("jdkHome", jdkHome != null);
        given.put("jdkChecksum", jdkChecksum != null);
        given.put("trustedCertificates", !trustedCertificates.isEmpty());
        given.put("compress", !compress);
        given.put("stripDebug", !stripDebug);
        given.put("cds", cds != null);
        given.put("cdsAddress", !cdsAddress.equals("random"));
        given.put("classList", !classList.equals(defaultClassList));
        return given;
    }

    @Override
    protected Map<String, File> fileParameters() {
        Map<String, File> files = new HashMap<>();
        files.put("cacheDirectory", cacheDirectory);
        Map<String, String> given = new HashMap<>();
        given.put("jdkHome", jdkHome);
        given.put("sysroot", sysroot);
        given.forEach((parameter, name) -> {
            if (name != null && !CoordinatesOnUse.isCoordinates(name)) {
                files.put(parameter, inProject(name).toFile());
            }
        });
        trustedCertificates.forEach(file -> files.put("trustedCertificates", file));
        return files;
    }

    static void checkLimit(String parameter, int size) throws SettingException {
        if (size < 0) {
            throw new SettingException(
                    parameter, size + " MiB is not a size.", "Give the largest size in MiB, or 0 for no limit.");
        }
    }

    private void checkCache() throws SettingException {
        Path nearest = cacheDirectory.toPath().toAbsolutePath();
        while (nearest != null && !Files.exists(nearest)) {
            nearest = nearest.getParent();
        }
        if (nearest != null && !Files.isDirectory(nearest)) {
            throw new SettingException(
                    "cacheDirectory",
                    nearest + " is a file where a directory must be.",
                    "Move the file away, or name another directory.");
        }
    }

    private long cacheBytes() {
        return (long) cacheLimit << 20;
    }

    /** The home of the JDK, unpacked if it comes in an archive. */
    private Path jdk() throws SettingException, IOException {
        if (jdkHome == null && jdkChecksum != null) {
            throw new SettingException(
                    "jdkChecksum",
                    "The checksum is that of an archive, and jdkHome names none.",
                    "Name the archive with jdkHome, or leave out jdkChecksum.");
        }
        if (jdkHome == null) {
            return usualJdk();
        }
        Path given = given("jdkHome", jdkHome);
        if (!Files.isDirectory(given)) {
            return archives(given).jdk(given, Optional.ofNullable(jdkChecksum));
        }
        if (jdkChecksum != null) {
            throw new SettingException(
                    "jdkChecksum",
                    "jdkHome names a directory, which has no checksum.",
                    "Leave out jdkChecksum, or name an archive.");
        }
        return given;
    }

    /**
     * The systems that native libraries may come from: the one that is named, or else the artifacts and this machine's.
     */
    private List<LinuxSystem> systems() {
        if (sysroot != null) {
            return List.of(new LinuxSystem(sysroot, () -> unpacked(given("sysroot", sysroot))));
        }
        String version = mojoExecution.getVersion();
        List<LinuxSystem> systems = new ArrayList<>();
        for (String coordinates : List.of(SYSROOT + version, SYSROOT + "jar:desktop:" + version)) {
            systems.add(new LinuxSystem(coordinates, () -> unpacked(ownSystem(coordinates))));
        }
        if (SystemRoot.isOnThisMachine()) {
            systems.add(new LinuxSystem("this machine's /", () -> Path.of("/")));
        }
        return systems;
    }

    private Path ownSystem(String coordinates) throws SettingException {
        return new CoordinatesOnUse(repositories, session, project.getRemotePluginRepositories())
                .file(
                        "sysroot",
                        coordinates,
                        "Let Maven reach the repository of the plugin, or set sysroot to the root directory of a Linux"
                                + " x86-64 system.");
    }

    private Path unpacked(Path given) throws SettingException, IOException {
        return Files.isDirectory(given) ? given : archives(given).system(given);
    }

    /** A file that a parameter names by its path or by coordinates. */
    private Path given(String parameter, String name) throws SettingException {
        return CoordinatesOnUse.isCoordinates(name)
                ? new CoordinatesOnUse(repositories, session, project.getRemoteProjectRepositories())
                        .file(parameter, name, "Correct the coordinates, or add a repository that has it to the POM.")
                : inProject(name);
    }

    private UnpackedArchives archives(Path wanted) throws IOException {
        if (Files.isRegularFile(wanted) && !UnpackedArchives.isJar(wanted)) {
            new LibrariesOnUse(repositories, session, project).add(mojoExecution, Set.of("org.apache.commons"));
        }
        return new UnpackedArchives(cacheDirectory.toPath(), cacheBytes());
    }

    private Path usualJdk() {
        var toolchain = toolchainManager.getToolchainFromBuildContext("jdk", session);
        String java = toolchain == null ? null : toolchain.findTool("java");
        return java == null
                ? Path.of(System.getProperty("java.home"))
                : Path.of(java).getParent().getParent();
    }

    /** A path as Maven reads one that a POM gives. */
    private Path inProject(String path) {
        return project.getBasedir().toPath().resolve(path);
    }
}
