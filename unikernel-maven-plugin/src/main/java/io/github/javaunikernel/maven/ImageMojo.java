// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.assembly.Application;
import io.github.javaunikernel.maven.assembly.ImageAssembler;
import io.github.javaunikernel.maven.assembly.ImageRequest;
import io.github.javaunikernel.maven.assembly.Machine;
import io.github.javaunikernel.maven.assembly.RuntimeChoice;
import io.github.javaunikernel.maven.boot.Debugger;
import io.github.javaunikernel.maven.boot.Firmware;
import io.github.javaunikernel.maven.boot.GivenOptions;
import io.github.javaunikernel.maven.boot.GuestMemory;
import io.github.javaunikernel.maven.boot.Jmx;
import io.github.javaunikernel.maven.boot.Kernel;
import io.github.javaunikernel.maven.image.ImageSummary;
import io.github.javaunikernel.maven.run.PortOption;
import io.github.javaunikernel.maven.runtime.Executable;
import io.github.javaunikernel.maven.runtime.OptionProof;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
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
     * Class to start, such as {@code com.example.Main}. The default is the one that the jar's manifest names, or else
     * the only class of the project with a {@code public static void main(String[])}; from Java 25 on, the only class
     * with any main method that the runtime can start.
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
     * and the files next to it that it loads, such as {@code target/server}. The directory becomes {@code /app} as it
     * is. The fast-jar of Quarkus in {@code target/quarkus-app} is detected automatically.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.applicationDirectory")
    private File applicationDirectory;

    /**
     * Jar to start, as a path relative to {@code applicationDirectory}, such as {@code bin/bootstrap.jar}. The default
     * is the only jar at its top level whose manifest names a main class.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.mainJar")
    private String mainJar;

    /**
     * Options of the JVM, such as {@code -Xmx64m}. They come after those that the plugin chooses for the memory of the
     * machine, and override them.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jvmArguments")
    private List<String> jvmArguments = List.of();

    /**
     * Arguments of the application, such as {@code --port,8080}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.arguments")
    private List<String> arguments = List.of();

    /**
     * Arguments with which the application checks itself, such as {@code --check}, in place of {@code arguments}:
     * {@code unikernel:check} starts the application with them, and it must end with status 0. The image gets a second
     * configuration file with them, which nothing else uses.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.checkArguments")
    private List<String> checkArguments = List.of();

    /**
     * Environment variables of the application, such as {@code <DB_POOL>8</DB_POOL>}.
     *
     * @since 0.1.0
     */
    @Parameter
    private Map<String, String> environment = Map.of();

    /**
     * System properties of the application, such as {@code <server.port>8080</server.port>}. They become part of the
     * image.
     *
     * @since 0.1.0
     */
    @Parameter
    private Map<String, String> systemProperties = Map.of();

    /**
     * Environment variables on the command line, as {@code NAME=VALUE,NAME=VALUE}, such as {@code DB_POOL=8}. They are
     * added to {@code environment}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.environment")
    private List<String> environmentVariables = List.of();

    /**
     * System properties on the command line, as {@code name=value,name=value}, such as {@code server.port=8080}. They
     * are added to {@code systemProperties}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.systemProperties")
    private List<String> systemPropertyVariables = List.of();

    /**
     * Kernel to use instead of the one that comes with the plugin, such as
     * {@code guest-kernel/target/debug/unikernel.elf}.
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
     * Directory whose content is copied to the root of the image, such as a file {@code etc/app.conf} to
     * {@code /etc/app.conf}. The default is {@code src/main/unikernel}.
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
     * host, such as {@code 5006}, which the goals that boot the image use; without one it is 5005.
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
     * TCP port on which the JVM's agent for JMX listens, for RMI and its registry alike. By default there is none.
     * {@code unikernel:run} and {@code start} forward the same port of 127.0.0.1 to it.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jmx")
    private Integer jmx;

    /**
     * Host name or address with which clients of JMX reach the guest. The agent's answers name it, and clients connect
     * to it. The default is for forwarded ports.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jmxHostname", defaultValue = "127.0.0.1")
    private String jmxHostname;

    /**
     * How the agent knows its users: {@code password}, by {@code jmxPasswordFile}, or {@code none}, which lets everyone
     * who reaches the port control the program.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jmxAuthentication", defaultValue = "password")
    private String jmxAuthentication;

    /**
     * File with the users of JMX, such as {@code jmx.password}, each line a name and a password, or what the JDK has
     * made of one in a file of its own. It becomes part of the image, readable by its owner alone.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jmxPasswordFile")
    private File jmxPasswordFile;

    /**
     * File that says what each user of JMX may do, such as {@code jmx.access}, each line a name and {@code readonly} or
     * {@code readwrite}. The default is that of the JDK, with {@code monitorRole}, who may read, and
     * {@code controlRole}, who may change.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jmxAccessFile")
    private File jmxAccessFile;

    /**
     * Key store (PKCS #12 or JKS), such as {@code jmx.p12}, with the key and the certificate of the guest, with which
     * the agent for JMX speaks TLS. It becomes part of the image, readable by its owner alone. The default is none, and
     * no TLS.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jmxKeystore")
    private File jmxKeystore;

    /**
     * File, such as {@code jmx-ssl.properties}, with the lines
     * {@code javax.net.ssl.keyStore=/etc/unikernel.jmx.keystore}, where the image has {@code jmxKeystore}, and
     * {@code javax.net.ssl.keyStorePassword=PASSWORD}. It becomes part of the image, readable by its owner alone.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.jmxSslFile")
    private File jmxSslFile;

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
        checkLimit("imageSize", imageSize);
        Machine machine = machine();
        GuestMemory.check(machine.memory(), executable == null);
        if (executable != null) {
            refuseJavaParameters();
        }
        RuntimeChoice runtime = runtime(executable == null, agentModules());
        Kernel image = kernel == null ? Kernel.builtIn() : Kernel.of(kernel.toPath());
        Firmware starter = Firmware.parse(firmware);
        Path files = files();
        Instant time = OutputTime.parse(outputTimestamp);
        // The last: it may unpack or pack jars in the build directory, which a refused value leaves as it was.
        Application application = executable == null ? javaApplication(machine) : executableApplication();
        return new ImageRequest(
                name,
                directory(),
                application,
                machine,
                runtime,
                image,
                starter,
                files,
                imageSize,
                time,
                new DependencyLicences(projectBuilder, session, getLog()::debug).of(project));
    }

    private Application javaApplication(Machine machine) throws SettingException, IOException {
        List<String> jvmOptions = words("jvmArguments", jvmArguments);
        OptionProof.checkForm(jvmOptions);
        if (mainJar != null && applicationDirectory == null) {
            throw new SettingException(
                    "mainJar",
                    "The jar is one in applicationDirectory, which is not given.",
                    "Set applicationDirectory, or leave out mainJar.");
        }
        Map<String, String> properties = merged("systemProperties", systemProperties, systemPropertyVariables);
        Map<String, String> variables = merged("environment", environment, environmentVariables);
        Optional<Jmx> agent = jmx();
        if (agent.isPresent()) {
            agent.get()
                    .checkWith(
                            machine.network(), takenPorts(machine), GivenOptions.of(jvmOptions, properties, variables));
            jvmOptions.addAll(agent.get().jvmArguments());
        }
        if (hasDebugger()) {
            jvmOptions.add(Debugger.jvmArgument(debugSuspend));
        }
        ProjectApplication.Layout layout = new ProjectApplication(project, mainClass)
                .layout(applicationDirectory == null ? null : applicationDirectory.toPath(), mainJar);
        List<Application.Jar> others = new ArrayList<>(layout.others());
        agent.map(Jmx::files)
                .orElse(Map.of())
                .forEach((place, file) -> others.add(new Application.Jar(file, "file:" + file.getFileName(), place)));
        return new Application(
                mainClass,
                layout.jars(),
                others,
                null,
                modulePath,
                jvmOptions,
                properties,
                words("arguments", arguments),
                words("checkArguments", checkArguments),
                variables);
    }

    private void refuseJavaParameters() throws SettingException {
        for (Map.Entry<String, Boolean> parameter : javaParameters().entrySet()) {
            if (parameter.getValue()) {
                throw new SettingException(
                        parameter.getKey(),
                        "The parameter is for a JVM, and there is none in the image of an executable.",
                        "Leave out this parameter or 'executable'.");
            }
        }
    }

    private Application executableApplication() throws SettingException, IOException {
        return Application.ofExecutable(
                Executable.of(executable.toPath()),
                words("arguments", arguments),
                words("checkArguments", checkArguments),
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
        given.putAll(super.javaParameters());
        given.put("debug", hasDebugger());
        given.put("jmx", jmx != null);
        return given;
    }

    private Optional<Jmx> jmx() throws SettingException, IOException {
        return jmx == null
                ? Optional.empty()
                : Optional.of(Jmx.of(
                        jmx,
                        jmxHostname,
                        jmxAuthentication,
                        Optional.ofNullable(jmxPasswordFile).map(File::toPath),
                        Optional.ofNullable(jmxAccessFile).map(File::toPath),
                        Jmx.Tls.of(
                                Optional.ofNullable(jmxKeystore).map(File::toPath),
                                Optional.ofNullable(jmxSslFile).map(File::toPath))));
    }

    /** The ports of the guest that the program cannot have, each with its parameter. */
    private Map<Integer, String> takenPorts(Machine machine) throws SettingException {
        Map<Integer, String> taken = new HashMap<>(Map.of(machine.reporting().metricsPort(), "metricsPort"));
        if (hasDebugger()) {
            taken.put(Debugger.PORT, "debug");
        }
        return taken;
    }

    private Set<String> agentModules() throws SettingException {
        Set<String> modules = new LinkedHashSet<>();
        if (hasDebugger()) {
            modules.add(Debugger.MODULE);
        }
        if (jmx != null) {
            modules.add(Jmx.MODULE);
            if (jmxKeystore != null) {
                modules.add(Jmx.TLS_MODULE);
            }
        }
        return modules;
    }

    private boolean hasDebugger() throws SettingException {
        return PortOption.parse("debug", debug, Debugger.PORT).isPresent();
    }

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
        files.put("jmxPasswordFile", jmxPasswordFile);
        files.put("jmxAccessFile", jmxAccessFile);
        files.put("jmxKeystore", jmxKeystore);
        files.put("jmxSslFile", jmxSslFile);
        return files;
    }

    /** Maven passes an empty element in the POM as null. */
    static List<String> withEmptyOnes(List<String> configured) {
        List<String> all = new ArrayList<>(configured);
        all.replaceAll(value -> Objects.requireNonNullElse(value, ""));
        return all;
    }

    private static List<String> words(String parameter, List<String> configured) throws SettingException {
        List<String> all = withEmptyOnes(configured);
        refuseNul(parameter, all);
        return all;
    }

    /** Every C program takes NUL for the end of a text: the kernel would lose the rest of its configuration. */
    private static void refuseNul(String parameter, Collection<String> texts) throws SettingException {
        if (texts.stream().anyMatch(text -> text.indexOf('\0') >= 0)) {
            throw new SettingException(
                    parameter, "A value has the character NUL, which no program can be given.", "Remove it.");
        }
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
        refuseNul(parameter, all.keySet());
        refuseNul(parameter, all.values());
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
