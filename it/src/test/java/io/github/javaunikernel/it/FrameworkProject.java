// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A project of {@code src/frameworks}, built in {@code target/frameworks}. Its {@code framework.properties}:
 *
 * <ul>
 *   <li>{@code program}: what {@code java -jar} starts, below the project, or below the directory
 *   <li>{@code directory}: a whole application below the project, in a copy of which the program is started on Linux;
 *       without it that is an empty directory
 *   <li>{@code port}: the argument of the JVM that sets the port, with {@code @port@} for it; 8080 without it
 *   <li>{@code scheme}: {@code http} or {@code https}
 *   <li>{@code service}: what the program talks to, either {@code postgresql} or a class of its own with a main method
 *   <li>{@code java}: the oldest Java that it runs on
 *   <li>{@code of}: another project, whose files it has beside its own
 *   <li>{@code option}: one for Maven
 * </ul>
 *
 * and its {@code requests.txt}, a request on each line as {@link FrameworkClient} reads it.
 */
final class FrameworkProject {

    /** What a run of the program showed. */
    record Run(List<String> answers, Refusals refusals) {}

    private static final Path SOURCES = Path.of("src", "frameworks");
    private static final String POSTGRESQL = "postgresql";
    private final String name;
    private final Jdk jdk;
    private final Path directory;
    private final Properties properties;
    private final List<String> requests;

    private FrameworkProject(String name, Jdk jdk, Path directory) throws IOException {
        this.name = name;
        this.jdk = jdk;
        this.directory = directory;
        properties = properties(directory);
        requests = Files.readAllLines(directory.resolve("requests.txt")).stream()
                .filter(line -> !line.isBlank())
                .toList();
    }

    static List<Path> all() throws IOException {
        try (Stream<Path> projects = Files.list(SOURCES)) {
            return projects.sorted().toList();
        }
    }

    private static Properties properties(Path directory) throws IOException {
        Properties properties = new Properties();
        try (InputStream in = Files.newInputStream(directory.resolve("framework.properties"))) {
            properties.load(in);
        }
        return properties;
    }

    /** Whether the program runs on that Java. */
    static boolean runsOn(Path project, Jdk jdk) throws IOException {
        return Integer.parseInt(properties(project).getProperty("java", "17")) <= jdk.feature();
    }

    /** Copies the project and has Maven, on that JDK, package it, image and all. */
    static FrameworkProject build(String name, Jdk jdk) throws IOException, InterruptedException {
        Path source = SOURCES.resolve(name);
        Properties properties = properties(source);
        Path copy = Lab.images().resolve("frameworks").resolve(name + "-jdk" + jdk.feature());
        copy(SOURCES.resolve(properties.getProperty("of", name)), copy);
        copy(source, copy);
        List<String> words = new ArrayList<>(List.of(
                "package",
                "-Dunikernel.version=" + System.getProperty("lab.version"),
                "-Dunikernel.kernelOptions=" + Refusals.kernelOption()));
        if (properties.containsKey("option")) {
            words.add(properties.getProperty("option"));
        }
        Maven.run(copy, Map.of("JAVA_HOME", jdk.home().toString()), words.toArray(String[]::new));
        return new FrameworkProject(name, jdk, copy);
    }

    /** Copies a directory and what is in it over what is there. */
    static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                Path target = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(target);
                } else {
                    Files.write(target, Files.readAllBytes(file));
                }
            }
        }
    }

    /** Its name and that of its JDK. */
    @Override
    public String toString() {
        return name + "-jdk" + jdk.feature();
    }

    /** The image's files without their extensions. */
    Path image() {
        return directory.resolve("target").resolve(properties.getProperty("of", name));
    }

    /** What the program talks to, started and ready, or null where it needs nothing. */
    HostService startService() throws IOException, InterruptedException {
        String service = properties.getProperty("service");
        if (service == null) {
            return null;
        }
        return service.equals(POSTGRESQL) ? PostgresServer.start() : startProgram(service);
    }

    private HostService startProgram(String mainClass) throws IOException, InterruptedException {
        int port = HostService.freePort();
        HostService started = new HostService(
                List.of(jdk.java(), "-Dport=" + port, "-cp", program(), mainClass),
                port,
                directory.resolve("target").resolve("service.log"));
        try {
            client(port, "").awaitListening(started::checkRuns);
            return started;
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            started.close();
            throw e;
        }
    }

    private String program() {
        String program = properties.getProperty("program");
        return properties.containsKey("directory")
                ? program
                : directory.resolve(program).toAbsolutePath().toString();
    }

    private FrameworkClient client(int port, String service) {
        return new FrameworkClient(properties.getProperty("scheme", "http"), port, service);
    }

    /** The answers of the guest, from its first one on; {@code check} throws when the guest has ended. */
    List<String> inGuest(int port, HostService service, FrameworkClient.Check check)
            throws IOException, InterruptedException {
        FrameworkClient client = client(port, service == null ? "" : service.fromGuest());
        client.awaitAnswer(check);
        return client.ask(requests);
    }

    /**
     * The same program under the same Java on this machine, in a directory of its own.
     *
     * @param refusals of the guest: the calls that are looked at here, too
     */
    Run onLinux(HostService service, Refusals refusals) throws IOException, InterruptedException {
        Path work = Files.createTempDirectory(directory.resolve("target"), "linux");
        if (properties.containsKey("directory")) {
            copy(directory.resolve(properties.getProperty("directory")), work);
        }
        int port = HostService.freePort();
        List<String> command = List.of(
                jdk.java(),
                properties.getProperty("port").replace("@port@", Integer.toString(port)),
                "-jar",
                program());
        Path log = Files.createTempFile(directory.resolve("target"), "linux", ".log");
        Path trace = Files.createTempFile(directory.resolve("target"), "linux", ".trace");
        List<String> answers;
        Process process = new ProcessBuilder(refusals.underStrace(trace.toAbsolutePath(), command))
                .directory(work.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            FrameworkClient client = client(port, service == null ? "" : service.fromHere());
            client.awaitAnswer(() -> {
                if (!process.isAlive()) {
                    throw new AssertionError("On Linux the program ended:\n" + Files.readString(log));
                }
            });
            answers = client.ask(requests);
        } finally {
            process.destroy();
            if (!process.waitFor(1, TimeUnit.MINUTES)) {
                process.destroyForcibly();
            }
        }
        return new Run(answers, Refusals.ofStrace(trace));
    }
}
