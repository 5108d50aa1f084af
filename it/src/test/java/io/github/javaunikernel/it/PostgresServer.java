// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A PostgreSQL of the system's package with a cluster of its own in a temporary directory, which closing deletes. User
 * and password are {@code test}. The system's own cluster is left alone. PostgreSQL refuses to run as root, so root
 * starts it as the user nobody.
 */
final class PostgresServer extends HostService {

    private static final Path INSTALLED = Path.of("/usr/lib/postgresql");
    private static final String UNPRIVILEGED = "nobody";
    private static final int RETRY_MILLIS = 100;

    private final Path directory;

    private PostgresServer(Path directory, int port) throws IOException {
        super(
                command(
                        "postgres",
                        "-D",
                        directory.resolve("data").toString(),
                        "-p",
                        Integer.toString(port),
                        "-c",
                        "listen_addresses=127.0.0.1",
                        "-c",
                        "unix_socket_directories="),
                port,
                directory.resolve("log"));
        this.directory = directory;
    }

    /** Returns when the server takes connections. */
    static PostgresServer start() throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("postgresql");
        try {
            Path password = Files.writeString(directory.resolve("password"), "test\n");
            for (Path file : List.of(directory, password)) {
                giveAway(file);
            }
            run(
                    "initdb",
                    "-D",
                    directory.resolve("data").toString(),
                    "-U",
                    "test",
                    "--pwfile=" + password,
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--no-sync");
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            delete(directory);
            throw e;
        }
        PostgresServer server = new PostgresServer(directory, freePort());
        try {
            server.awaitReady();
            return server;
        } catch (IOException | InterruptedException | RuntimeException | Error e) {
            server.close();
            throw e;
        }
    }

    private void awaitReady() throws IOException, InterruptedException {
        Process asking;
        do {
            checkRuns();
            TimeUnit.MILLISECONDS.sleep(RETRY_MILLIS);
            asking = new ProcessBuilder(program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", Integer.toString(port()))
                    .start();
        } while (asking.waitFor() != 0);
    }

    private static void run(String... words) throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(command(words)).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new AssertionError(words[0] + " failed:\n" + output);
        }
    }

    private static List<String> command(String... words) throws IOException {
        List<String> command = new ArrayList<>();
        if (isRoot()) {
            command.addAll(List.of("setpriv", "--reuid", UNPRIVILEGED, "--regid", "nogroup", "--clear-groups", "--"));
        }
        command.add(program(words[0]));
        command.addAll(List.of(words).subList(1, words.length));
        return command;
    }

    private static String program(String name) throws IOException {
        try (Stream<Path> versions = Files.isDirectory(INSTALLED) ? Files.list(INSTALLED) : Stream.of()) {
            return versions.map(version -> version.resolve("bin").resolve(name))
                    .filter(Files::isExecutable)
                    .max(Comparator.comparingInt(PostgresServer::version))
                    .map(Path::toString)
                    .orElseThrow(() ->
                            new AssertionError("There is no " + name + " below " + INSTALLED + "; run lab/setup."));
        }
    }

    /** The directory below the one of all versions is named after it. */
    private static int version(Path program) {
        return Integer.parseInt(program.getName(INSTALLED.getNameCount()).toString());
    }

    private static boolean isRoot() throws IOException {
        return Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
    }

    private static void giveAway(Path file) throws IOException {
        if (isRoot()) {
            Files.setOwner(
                    file, file.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(UNPRIVILEGED));
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> {
                try {
                    Files.delete(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }

    /** Without waiting for clients to leave, as it does at SIGTERM. */
    @Override
    void end() throws IOException, InterruptedException {
        run("pg_ctl", "stop", "-m", "fast", "-D", directory.resolve("data").toString());
    }

    @Override
    public void close() throws IOException {
        super.close();
        delete(directory);
    }
}
