package io.github.javaunikernel.it;

import java.io.IOException;
import java.io.InputStream;
import java.net.ServerSocket;
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
 * <ul>
 * <li>{@code program}: what {@code java -jar} starts, below the project
 * <li>{@code port}: the argument of the JVM that sets the port, with {@code @port@} for it; 8080 without it
 * <li>{@code scheme}: {@code http} or {@code https}
 * </ul>
 * and its {@code requests.txt}, a request on each line as {@link FrameworkClient} reads it.
 */
final class FrameworkProject {

    private static final Path SOURCES = Path.of("src", "frameworks");
    private final Path directory;
    private final Properties properties = new Properties();
    private final List<String> requests;

    private FrameworkProject(Path directory) throws IOException {
        this.directory = directory;
        try (InputStream in = Files.newInputStream(directory.resolve("framework.properties"))) {
            properties.load(in);
        }
        requests = Files.readAllLines(directory.resolve("requests.txt")).stream().filter(line -> !line.isBlank()).toList();
    }

    static List<Path> all() throws IOException {
        try (Stream<Path> projects = Files.list(SOURCES)) {
            return projects.sorted().toList();
        }
    }

    /** Copies the project and has Maven package it, image and all. */
    static FrameworkProject build(String name) throws IOException, InterruptedException {
        Path copy = Lab.images().resolve("frameworks").resolve(name);
        copy(SOURCES.resolve(name), copy);
        Maven.run(copy, Map.of(), "package", "-Dunikernel.version=" + System.getProperty("lab.version"),
                "-Dunikernel.kernelOptions=timings");
        return new FrameworkProject(copy);
    }

    private static void copy(Path from, Path to) throws IOException {
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

    /** The image's files without their extensions. */
    Path image() {
        return directory.resolve("target").resolve(directory.getFileName());
    }

    List<String> ask(int port) throws IOException, InterruptedException {
        return new FrameworkClient(properties.getProperty("scheme", "http"), port).ask(requests);
    }

    /** The answers of the same program under the Java of this build, in an empty directory. */
    List<String> onLinux() throws IOException, InterruptedException {
        Path work = Files.createTempDirectory(directory.resolve("target"), "linux");
        int port = freePort();
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                properties.getProperty("port").replace("@port@", Integer.toString(port)),
                "-jar", directory.resolve(properties.getProperty("program")).toAbsolutePath().toString()));
        Path log = work.resolve("console.log");
        Process process = new ProcessBuilder(command).directory(work.toFile()).redirectErrorStream(true)
                .redirectOutput(log.toFile()).start();
        try {
            FrameworkClient client = new FrameworkClient(properties.getProperty("scheme", "http"), port);
            client.awaitServer(() -> {
                if (!process.isAlive()) {
                    throw new AssertionError("On Linux the program ended:\n" + Files.readString(log));
                }
            });
            return client.ask(requests);
        } finally {
            process.destroy();
            if (!process.waitFor(1, TimeUnit.MINUTES)) {
                process.destroyForcibly();
            }
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
