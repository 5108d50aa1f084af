// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.SettingException;
import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** What can be written of a running guest and its JVM. */
public enum Dump {
    /** The stacks of all threads, and deadlocks. */
    THREADS(".threads.txt") {
        @Override
        public void take(HostChannel guest, Request request) throws IOException {
            write(request.file(), guest.jcmd("Thread.print -l", request.limit()));
        }
    },
    /** How many objects there are of each class, after a collection. */
    HISTOGRAM(".histogram.txt") {
        @Override
        public void take(HostChannel guest, Request request) throws IOException {
            write(request.file(), guest.jcmd("GC.class_histogram", request.limit()));
        }
    },
    /** All objects, after a collection. */
    HEAP(".hprof") {
        @Override
        public void take(HostChannel guest, Request request) throws IOException {
            String file = request.guestFile("unikernel.hprof");
            guest.remove(file);
            try {
                String said = guest.jcmd("GC.heap_dump " + file, request.limit());
                checkWritten(
                        said.contains("Heap dump file created"),
                        said,
                        "Give the guest more memory, or a directory on a scratch disk with"
                                + " -Dunikernel.dump.guestDirectory.");
                guest.fetch(file, request.file());
            } finally {
                guest.remove(file);
            }
        }
    },
    /** A recording of the JDK Flight Recorder, from now on. */
    JFR(".jfr") {
        @Override
        public void take(HostChannel guest, Request request) throws IOException, InterruptedException {
            String file = request.guestFile("unikernel.jfr");
            String said = guest.jcmd("JFR.start name=" + RECORDING + " settings=profile", request.limit());
            checkWritten(
                    said.contains("Started recording"),
                    said,
                    "Build the image with -Dunikernel.additionalModules=jdk.jfr, and take one recording at a time.");
            try {
                Thread.sleep(request.duration().toMillis());
                said = guest.jcmd("JFR.dump name=" + RECORDING + " filename=" + file, request.limit());
                checkWritten(
                        said.contains("Dumped recording"),
                        said,
                        "Record for a shorter time, or give a directory on a scratch disk with"
                                + " -Dunikernel.dump.guestDirectory.");
                guest.fetch(file, request.file());
            } finally {
                guest.jcmd("JFR.stop name=" + RECORDING, request.limit());
                guest.remove(file);
            }
        }
    },
    /** TCP connections, and how much waits in them to be sent or read. */
    CONNECTIONS(".connections.txt") {
        @Override
        public void take(HostChannel guest, Request request) throws IOException {
            write(
                    request.file(),
                    Connections.table(List.of(guest.text("/proc/net/tcp"), guest.text("/proc/net/tcp6"))));
        }
    },
    /** How long the kernel has waited for its locks since that was switched on. */
    LOCKS(".locks.txt") {
        @Override
        public void take(HostChannel guest, Request request) throws IOException {
            write(request.file(), guest.locks());
        }
    };

    private static final String RECORDING = "unikernel";

    private final String suffix;

    Dump(String suffix) {
        this.suffix = suffix;
    }

    /**
     * A dump that is wanted.
     *
     * @param file to write
     * @param guestDirectory where the JVM may write what is then copied
     * @param limit for each answer of the JVM
     * @param duration of a recording
     */
    public record Request(Path file, String guestDirectory, Duration limit, Duration duration) {

        private String guestFile(String name) {
            return guestDirectory + "/" + name;
        }
    }

    /** Writes it. */
    public abstract void take(HostChannel guest, Request request) throws IOException, InterruptedException;

    /** What the names of its files end in. */
    public String suffix() {
        return suffix;
    }

    /** The value of the parameter {@code dump}. */
    public static Dump parse(String text) throws SettingException {
        return switch (text) {
            case "threads" -> THREADS;
            case "histogram" -> HISTOGRAM;
            case "heap" -> HEAP;
            case "jfr" -> JFR;
            case "connections" -> CONNECTIONS;
            case "locks" -> LOCKS;
            default ->
                throw new SettingException(
                        "dump",
                        "'" + text + "' is not a kind of dump.",
                        "Use threads, histogram, heap, jfr, connections, locks or core.");
        };
    }

    /** The JVM reports most failures as an answer like any other. */
    private static void checkWritten(boolean well, String said, String fix) throws IOException {
        if (!well) {
            throw new ExplainedException("The JVM in the guest says: " + said.strip() + " " + fix);
        }
    }

    private static void write(Path file, String text) throws IOException {
        WholeFile.write(file, part -> Files.writeString(part, text));
    }
}
