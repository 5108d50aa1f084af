// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.assembly.Application;
import io.github.javaunikernel.maven.assembly.ImageAssembler;
import io.github.javaunikernel.maven.assembly.ImageRequest;
<<<<<<< HEAD
import io.github.javaunikernel.maven.assembly.Machine;
import io.github.javaunikernel.maven.assembly.RuntimeChoice;
import io.github.javaunikernel.maven.boot.ClassDataAddress;
import io.github.javaunikernel.maven.boot.DataDisk;
=======
>>>>>>> refs/h/love
import io.github.javaunikernel.maven.boot.Debugger;
import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.Kernel;
import io.github.javaunikernel.maven.image.ImageSummary;
import io.github.javaunikernel.maven.run.PortOption;
import io.github.javaunikernel.maven.runtime.Executable;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.apache.maven.plugins.annotations.Component;
import org.apache.maven.plugins.annotations.LifecyclePhase;
import org.apache.maven.plugins.annotations.Mojo;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.plugins.annotations.ResolutionScope;
import org.apache.maven.project.MavenProjectHelper;
import org.apache.maven.project.ProjectBuilder;

/**
 * Builds a bootable image of the project. The image contains a guest kernel, a Java runtime reduced to the modules in
 * use, the project's jar (or, before the phase package, its compiled classes) with its runtime dependencies, and its
 * configuration. The goal writes {@code NAME.img}, {@code NAME.kernel}, {@code NAME.xl.cfg},
 * {@code NAME.unikernel.json} and {@code NAME.cdx.json}, a bill of materials, to the build directory.
 *
 * @since 0.1.0
 */
@Mojo(
        name = "image",
        defaultPhase = LifecyclePhase.PACKAGE,
        requiresDependencyResolution = ResolutionScope.COMPILE_PLUS_RUNTIME,
        threadSafe = true)
public final class ImageMojo extends AbstractImageMachineMojo {

    private static final String IMAGE_TYPE = "img";

    @Component
    private MavenProjectHelper projectHelper;

    @Component
    private ProjectBuilder projectBuilder;

    /**
     * Class to start. The default is the one that the jar's manifest names, or else the only class of the project with
     * a {@code public static void main(String[])}; from Java 25 on, the only class with any main method that the
     * runtime can start.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.mainClass")
    private String mainClass;

    /**
     * A program of the build for Linux on x86-64 that is started in place of a JVM, such as a native executable of
     * GraalVM or what a compiler of C or Go makes. The image then holds no Java runtime and no jars, and parameters
     * that only a JVM has a use for are refused.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.executable")
    private File executable;

    /**
     * Whether the application runs as a module. With {@code true}, its jar, which must have a
     * {@code module-info.class}, and the dependencies form the module path. By default they form the class path, as
     * with {@code java -jar}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.modulePath", defaultValue = "false")
    private boolean modulePath;

    /**
     * Directory that holds the whole application, instead of the project's jar and its dependencies: a jar to start,
     * and the files next to it that it loads. The directory becomes {@code /app} as it is. The fast-jar of Quarkus in
     * {@code target/quarkus-app} is detected automatically.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.applicationDirectory")
    private File applicationDirectory;

    /**
     * Jar to start, as a path relative to {@code applicationDirectory}. The default is the only jar at its top level
     * whose manifest names a main class.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.mainJar")
    private String mainJar;

    /**
     * Options of the JVM. They come after those that the plugin chooses for the memory of the machine, and override
     * them.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jvmArguments")
    private List<String> jvmArguments = List.of();

    /**
     * Arguments of the application.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.arguments")
    private List<String> arguments = List.of();

    /**
     * Arguments with which the application checks itself, in place of {@code arguments}: {@code unikernel:check} starts
     * the application with them, and it must end with status 0. The image gets a second configuration file with them,
     * which nothing else uses.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.checkArguments")
    private List<String> checkArguments = List.of();

    /**
     * Environment variables of the application.
     *
     * @since 0.1.0
     */
    @Parameter
    private Map<String, String> environment = Map.of();

    /**
     * System properties of the application. They become part of the image.
     *
     * @since 0.1.0
     */
    @Parameter
    private Map<String, String> systemProperties = Map.of();

    /**
     * Environment variables on the command line, as {@code NAME=VALUE,NAME=VALUE}. They are added to
     * {@code environment}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.environment")
    private List<String> environmentVariables = List.of();

    /**
     * System properties on the command line, as {@code name=value,name=value}. They are added to
     * {@code systemProperties}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.systemProperties")
    private List<String> systemPropertyVariables = List.of();

    /**
<<<<<<< HEAD
     * Environment variables that can be set from outside for a single start of the image: names such as {@code DB_URL},
     * and prefixes such as {@code DB_*}. They override those in {@code environment}. By default there are none, and no
     * external source is consulted. A prefix never covers variables that decide which code runs, such as
     * {@code LD_PRELOAD} or {@code JAVA_TOOL_OPTIONS}; to allow one of those, write its full name.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.instanceEnvironment")
    private List<String> instanceEnvironment = List.of();

    /**
     * Sources from which those variables may come: {@code user-data} of EC2, {@code host}, which is xenstore under Xen,
     * and the kernel's {@code command-line}. The default is all three. Leave out {@code user-data} if there is no
     * metadata service: looking for it adds most of a second to each start, and any host in the network that takes its
     * address can answer.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.instanceSources")
    private List<String> instanceSources = List.of();

    /**
     * Whether the program may use EC2's instance metadata service at 169.254.169.254, as the AWS SDK does to get the
     * credentials of an instance's role. With {@code false} the kernel refuses every connection to it (EACCES), so that
     * a request forged through the program cannot reach credentials; {@code instanceEnvironment} still works.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.instanceMetadata", defaultValue = "true")
    private boolean instanceMetadata;

    /**
     * Memory of the machine in MiB, 32 or more. The plugin derives the size of the heap from it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.memory", defaultValue = "256")
    private int memory;

    /**
     * Number of virtual CPUs of the machine, 1 to 64. The program runs on all of them; in a paravirtual Xen guest it
     * runs on one.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.vcpus", defaultValue = "1")
    private int vcpus;

    /**
     * Root modules of the runtime, instead of those that the classes use.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.modules")
    private Set<String> modules = Set.of();

    /**
     * Root modules of the runtime in addition to those that are detected, for classes that are used by reflection only.
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
     * JDK from which the runtime is linked. It must be for Linux on x86-64. The default is the JDK of the build's
     * toolchain, or else the one that runs Maven.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jdkHome")
    private File jdkHome;

    /**
     * Root directory of the Linux system from which native libraries are copied into the image.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.sysroot", defaultValue = "/")
    private File sysroot;

    /**
     * Files with certificates that the runtime trusts in addition to those that its JDK trusts: in PEM or DER format,
     * or key stores with the password {@code changeit}.
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
     * How the JVM divides the CPU between starting and compiling: {@code balanced} as the JVM does by itself, or
     * {@code fast}, with which the optimising compiler begins later: the start takes less CPU time, and the program
     * reaches its full speed later.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.startup", defaultValue = "balanced")
    private String startup;

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

    /**
     * How the guest gets its address: {@code dhcp}, {@code none} or {@code static 10.0.0.2/24 gateway 10.0.0.1 dns
     * 10.0.0.1,10.0.0.3 mtu 1500}, where everything after the address is optional.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.network", defaultValue = "dhcp")
    private String network;

    /**
     * Time servers that the guest's wall clock follows by SNTP: {@code auto}, {@code none}, or up to four host names or
     * addresses such as {@code 169.254.169.123} or {@code ntp.example.com,10.0.0.8}. The kernel looks names up; one
     * that stands for several addresses, such as a pool's, gives up to four servers. {@code auto} takes those that DHCP
     * names (option 42), or Amazon's 169.254.169.123 where the instance metadata service has answered; without either,
     * and with {@code none}, the clock is the host's.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.time", defaultValue = "auto")
    private String time;

    /**
     * Where the lines of the kernel's log and of the program's standard output and error go: {@code console}, a syslog
     * server as {@code syslog://logs.example.com:514} (UDP) or {@code syslog+tcp://10.0.0.5:514}, or both, as
     * {@code console,syslog://10.0.0.5}. The port is 514 if none is given. With a server the program never waits for
     * the console or the network; what cannot be sent is kept, up to 256 KiB, and then lost, which is reported. Without
     * {@code console} the console shows the kernel's lines only.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.logTo", defaultValue = "console")
    private String logTo;

    /**
     * TCP port on which the kernel serves metrics for Prometheus, at {@code /metrics}: CPU time, memory, network, disks
     * and TCP. 0 for none. Whoever reaches the port can read them. The program cannot listen on the same port.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.metricsPort", defaultValue = "0")
    private int metricsPort;

    /**
     * Host name of the guest. The default is the artifact id, adapted to the characters and the length of a host name.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.hostname")
    private String hostname;

    /**
     * Additional writable directories, each as {@code /path} or {@code /path 16m}. They are kept in memory and are
     * empty at the start. {@code /tmp}, {@code /run}, {@code /var/tmp} and {@code /dev/shm} are always writable, and so
     * are the working directory {@code /app} and the home directory {@code /home}, which start with the files that the
     * image has in them. Everything else is read-only.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.tmpfs")
    private List<String> tmpfs = List.of();

    /**
     * A directory whose files lie on a second disk, as {@code /path} or {@code /path 4g}; the size is that of the disk
     * which {@code unikernel:run}, {@code start}, {@code xl} and EC2 give the machine, by default 1 GiB. The files may
     * be larger than memory. They are lost when the machine ends, so the disk is for caches, spools and temporary
     * files. The kernel uses the first disk besides the image's that is empty or was its scratch disk before, and never
     * one that holds other data.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.scratch")
    private String scratch;

    /**
     * Directories whose files lie on disks of their own and outlive the machine, each as {@code LABEL /path},
     * {@code LABEL /path 4g} or {@code LABEL /path read-only}. The kernel takes the disk whose ext2 file system has
     * that label, and does not start without it. {@code unikernel:run} and the other goals that boot the image here use
     * {@code LABEL.img} in {@code dataDirectory}, and make it with the size given, by default 1 GiB, if there is none.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dataDisks")
    private List<String> dataDisks = List.of();

    /**
     * Directory with the files of data disks, for the configuration of {@code xl}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.dataDirectory", defaultValue = "${project.basedir}/data")
    private File dataDirectory;

    /**
     * Options of the guest kernel, separated by spaces: {@code quiet}, {@code verbose}, {@code timings},
     * {@code trace=all}, {@code trace=NAME,NAME}, {@code capture=BYTES}, {@code profile=HZ}, {@code mitigations=auto},
     * {@code mitigations=off}, {@code mitigations=on}, {@code ipv6=no}, {@code ipv6=ADDRESS/PREFIX}, {@code nokaslr} or
     * {@code conf=PATH}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.kernelOptions", defaultValue = "quiet")
    private String kernelOptions;

    /**
=======
>>>>>>> refs/h/love
     * Kernel to use instead of the one that comes with the plugin.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.kernel")
    private File kernel;

    /**
     * What is to start the image: {@code bios} or {@code none} for one file system, which a BIOS, PV-GRUB, {@code xl}
     * and QEMU boot; {@code uefi} for a disk with that file system in its second partition, which UEFI, {@code xl} and
     * QEMU boot.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.firmware", defaultValue = "bios")
    private String firmware;

    /**
     * Directory whose content is copied to the root of the image. The default is {@code src/main/unikernel}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.filesDirectory")
    private File filesDirectory;

    /**
     * Largest allowed size of the image in MiB; 0 for no limit. Free space between its files counts, although it takes
     * no space on disk.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.imageSize", defaultValue = "0")
    private int imageSize;

    /**
     * Adds the JVM's debugger agent to the image; it listens on port 5005 of the guest. The value is a port of the
     * host, which the goals that boot the image use.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.debug")
    private String debug;

    /**
     * Whether the program waits for a debugger to attach, if the image has the debugger agent.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.debug.suspend", defaultValue = "false")
    private boolean debugSuspend;

    /**
     * Whether to attach the image to the project as an artifact of type {@code img}, which {@code install} and
     * {@code deploy} copy into repositories.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.attach", defaultValue = "false")
    private boolean attach;

    /**
     * Time of every file in the image. The same input with the same time gives the same bytes. Where neither this nor
     * {@code project.build.outputTimestamp} is set, the environment variable {@code SOURCE_DATE_EPOCH} counts.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.outputTimestamp", defaultValue = "${project.build.outputTimestamp}")
    private String outputTimestamp;

    @Parameter(defaultValue = "${project.basedir}/src/main/unikernel", readonly = true, required = true)
    private File defaultFilesDirectory;

    @Override
    protected void run() throws SettingException, IOException {
        ImageRequest request = request();
        checkOnlyMaker();
        ImageSummary summary = new ImageAssembler(getLog()::info, getLog()::warn).assemble(request);
        getLog().info(String.format(
                "Image: %s (%.1f MiB, %.1f of them free)",
                request.imageFile(), summary.size() / 1048576.0, (summary.size() - summary.stored()) / 1048576.0));
        if (attach && !isAttached()) {
            projectHelper.attachArtifact(
                    project, IMAGE_TYPE, classifier(), request.imageFile().toFile());
        }
    }

    private ImageRequest request() throws SettingException, IOException {
        String name = fileName();
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._+-]*")) {
            throw new SettingException(
                    "imageName",
                    "'" + name + "' cannot be the name of an image.",
                    "Use letters, digits, '.', '_', '+' and '-', beginning with a letter or digit.");
        }
        checkLimit("imageSize", imageSize);
        Kernel image = kernel == null ? Kernel.builtIn() : Kernel.of(kernel.toPath());
        return new ImageRequest(
                name,
                directory(),
                executable == null ? javaApplication() : executableApplication(),
                machine(),
                runtime(executable == null, hasDebugger() ? Set.of(Debugger.MODULE) : Set.of()),
                image,
                Firmware.parse(firmware),
                files(),
                imageSize,
                OutputTime.parse(outputTimestamp),
                new DependencyLicences(projectBuilder, session, getLog()::debug).of(project));
    }

    private Application javaApplication() throws SettingException, IOException {
        List<String> jvmOptions = withEmptyOnes(jvmArguments);
        if (hasDebugger()) {
            jvmOptions.add(Debugger.jvmArgument(debugSuspend));
        }
        ProjectApplication.Layout layout = new ProjectApplication(project, mainClass)
                .layout(applicationDirectory == null ? null : applicationDirectory.toPath(), mainJar);
        return new Application(
                mainClass,
                layout.jars(),
                layout.others(),
                null,
                modulePath,
                jvmOptions,
                merged("systemProperties", systemProperties, systemPropertyVariables),
                withEmptyOnes(arguments),
                withEmptyOnes(checkArguments),
                merged("environment", environment, environmentVariables));
    }

    private Application executableApplication() throws SettingException, IOException {
        for (Map.Entry<String, Boolean> parameter : javaParameters().entrySet()) {
            if (parameter.getValue()) {
                throw new SettingException(
                        parameter.getKey(),
                        "The parameter is for a JVM, and there is none in the image of an executable.",
                        "Leave out this parameter or 'executable'.");
            }
        }
        return Application.ofExecutable(
                Executable.of(executable.toPath()),
                withEmptyOnes(arguments),
                withEmptyOnes(checkArguments),
                merged("environment", environment, environmentVariables));
    }

    @Override
    Map<String, Boolean> javaParameters() throws SettingException {
        Map<String, Boolean> given = new LinkedHashMap<>();
        given.put("mainClass", mainClass != null);
        given.put("modulePath", modulePath);
        given.put("applicationDirectory", applicationDirectory != null);
        given.put("mainJar", mainJar != null);
        given.put("jvmArguments", !jvmArguments.isEmpty());
        given.put("systemProperties", !systemProperties.isEmpty() || !systemPropertyVariables.isEmpty());
<<<<<<< HEAD
        given.put("modules", !modules.isEmpty());
        given.put("additionalModules", !additionalModules.isEmpty());
        given.put("locales", !locales.isEmpty());
        given.put("jdkHome", jdkHome != null);
        given.put("trustedCertificates", !trustedCertificates.isEmpty());
        given.put("compress", !compress);
        given.put("stripDebug", !stripDebug);
        given.put("cds", cds != null);
        given.put("cdsAddress", !cdsAddress.equals("random"));
        given.put("classList", !classList.equals(defaultClassList));
        given.put("startup", !startup.equals("balanced"));
=======
        given.putAll(super.javaParameters());
>>>>>>> refs/h/love
        given.put("debug", hasDebugger());
        return given;
    }

    private boolean hasDebugger() throws SettingException {
        return PortOption.parse("debug", debug, Debugger.PORT).isPresent();
    }

<<<<<<< HEAD
    private RuntimeChoice runtime() throws SettingException, IOException {
        Set<String> rootModules = new LinkedHashSet<>(additionalModules);
        if (hasDebugger()) {
            rootModules.add(Debugger.MODULE);
        }
        JavaHome jdk = executable == null ? JavaHome.at(jdkHomePath()) : null;
        Path list = classList.toPath();
        return new RuntimeChoice(
                jdk,
                modules,
                rootModules,
                locales,
                compress,
                stripDebug,
                stripNative,
                executable == null ? ClassDataMode.of(cds, list, jdk) : ClassDataMode.OFF,
                ClassDataAddress.parse(cdsAddress),
                list,
                sysroot.toPath(),
                trustedCertificates.stream().map(File::toPath).toList(),
                cacheDirectory.toPath(),
                (long) cacheLimit << 20);
    }

    private static void checkLimit(String parameter, int size) throws SettingException {
        if (size < 0) {
            throw new SettingException(
                    parameter, size + " MiB is not a size.", "Give the largest size in MiB, or 0 for no limit.");
        }
    }

    private Machine machine() throws SettingException, IOException {
        if (vcpus < 1 || vcpus > MAX_VCPUS) {
            throw new SettingException(
                    "vcpus", vcpus + " virtual CPUs are not possible.", "Give 1 to " + MAX_VCPUS + ".");
        }
        List<MemoryFileSystem> fileSystems = new ArrayList<>();
        for (String text : tmpfs) {
            fileSystems.add(MemoryFileSystem.parse(text));
        }
        NetworkSetting networkSetting = NetworkSetting.parse(network);
        return new Machine(
                memory,
                vcpus,
                Startup.parse(startup),
                hostname == null ? DnsLabel.near(project.getArtifactId()) : hostname,
                networkSetting,
                TimeSetting.parse(time),
                Reporting.parse(logTo, metricsPort, networkSetting),
                fileSystems,
                scratch == null ? Optional.empty() : Optional.of(ScratchDisk.parse(scratch)),
                DataDisk.parse(dataDisks),
                dataDirectory.toPath().toAbsolutePath(),
                KernelCommandLine.parse(kernelOptions),
                InstanceEnvironment.parse(instanceEnvironment, instanceSources),
                instanceMetadata);
    }

    private Path jdkHomePath() {
        if (jdkHome != null) {
            return jdkHome.toPath();
        }
        var toolchain = toolchainManager.getToolchainFromBuildContext("jdk", session);
        String java = toolchain == null ? null : toolchain.findTool("java");
        return java == null
                ? Path.of(System.getProperty("java.home"))
                : Path.of(java).getParent().getParent();
    }

=======
>>>>>>> refs/h/love
    private Path files() throws SettingException {
        if (filesDirectory == null) {
            return defaultFilesDirectory.toPath();
        }
        if (!filesDirectory.isDirectory()) {
            throw new SettingException(
                    "filesDirectory",
                    "There is no directory " + filesDirectory + ".",
                    "Create it or correct the path.");
        }
        return filesDirectory.toPath();
    }

    @Override
    protected Map<String, File> fileParameters() {
        Map<String, File> files = super.fileParameters();
        files.put("applicationDirectory", applicationDirectory);
        files.put("executable", executable);
        files.put("filesDirectory", filesDirectory == null ? defaultFilesDirectory : filesDirectory);
        files.put("kernel", kernel);
        return files;
    }

    /** Maven passes an empty element in the POM as null. */
    static List<String> withEmptyOnes(List<String> configured) {
        List<String> all = new ArrayList<>(configured);
        all.replaceAll(value -> Objects.requireNonNullElse(value, ""));
        return all;
    }

    private static Map<String, String> merged(String parameter, Map<String, String> configured, List<String> given)
            throws SettingException {
        Map<String, String> all = new TreeMap<>();
        for (Map.Entry<String, String> entry : configured.entrySet()) {
            // As above.
            all.put(entry.getKey(), Objects.requireNonNullElse(entry.getValue(), ""));
        }
        for (String pair : new LinkedHashSet<>(given)) {
            int equals = pair.indexOf('=');
            if (equals < 1) {
                throw new SettingException(
                        parameter,
                        "'" + pair + "' is not of the form NAME=VALUE.",
                        "Write NAME=VALUE, and several with commas between them.");
            }
            all.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
        return all;
    }

    /** An execution may make its image again, as when {@code mvn package unikernel:run} packages twice. */
    @SuppressWarnings("unchecked")
    private void checkOnlyMaker() throws SettingException {
        Object maker = ((Map<Object, Object>) getPluginContext())
                .put("maker of " + fileName(), mojoExecution.getExecutionId());
        if (maker != null && !maker.equals(mojoExecution.getExecutionId())) {
            throw new SettingException(
                    "classifier",
                    "Two executions make the image " + fileName() + ".img.",
                    "Give each execution a classifier of its own.");
        }
    }

    private boolean isAttached() {
        return project.getAttachedArtifacts().stream()
                .anyMatch(artifact -> artifact.getType().equals(IMAGE_TYPE)
                        && Objects.equals(artifact.getClassifier(), classifier()));
    }
}
