// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import io.github.javaunikernel.maven.run.MachineIdentity;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.PrivateFiles;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The snapshot of an image, if there is one: a directory with the machine's memory and what it belongs to. Only the
 * user can read it, since the memory holds whatever the program knows. It is complete or not there: what is being
 * written has another name. May be used by several threads.
 */
public final class Snapshots {

    private static final String MEMORY = "memory";
    private static final String DESCRIPTION = "machine.json";

    /** Writes a machine's memory. */
    interface Source {
        /** Does it, into a file that is there already; fails unless all of it was written. */
        void writeTo(Path file) throws IOException;
    }

    /**
     * What a snapshot belongs to.
     *
     * @param taken in ISO 8601
     * @param bytes length of the memory's file
     */
    private record Description(MachineIdentity machine, String taken, long bytes) {

        private boolean isComplete() {
            return machine != null && taken != null && machine.isComplete();
        }
    }

    private final Path directory;
    private final Path unfinished;
    private final Consumer<String> log;

    /**
     * A place for one snapshot.
     *
     * @param directory which may be there or not; beside it, what is being written has the same name with {@code .part}
     * @param log gets why a snapshot is not used
     */
    public Snapshots(Path directory, Consumer<String> log) {
        this.directory = directory;
        this.unfinished = directory.resolveSibling(directory.getFileName() + ".part");
        this.log = log;
    }

    /** The memory to go on from. Says why there is none if there is a snapshot that does not fit, and deletes that. */
    synchronized Optional<Path> fitting(MachineIdentity machine) throws IOException {
        Path description = directory.resolve(DESCRIPTION);
        try {
            Optional<String> problem = problem(Files.readString(description), machine);
            if (problem.isEmpty()) {
                return Optional.of(directory.resolve(MEMORY));
            }
            discard(problem.get());
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        return Optional.empty();
    }

    private Optional<String> problem(String text, MachineIdentity machine) throws IOException {
        try {
            Description found = new GsonBuilder().create().fromJson(text, Description.class);
            if (found == null || !found.isComplete() || Files.size(directory.resolve(MEMORY)) != found.bytes) {
                return Optional.of("it is damaged");
            }
            if (Instant.parse(found.taken).isAfter(Instant.now())) {
                return Optional.of("it was taken later than now, by this machine's clock");
            }
            return machine.difference(found.machine);
        } catch (JsonParseException | DateTimeException e) {
            return Optional.of("it is damaged");
        }
    }

    /** Deletes the snapshot, and says why. */
    synchronized void discard(String why) throws IOException {
        log.accept("The snapshot in " + directory + " is not used, since " + why + "; the start is a cold one");
        delete(directory);
    }

    /** Takes a snapshot in place of the one before. Nothing is left of one that fails. */
    synchronized void take(MachineIdentity machine, Source source) throws IOException {
        delete(unfinished);
        try {
            PrivateFiles.createDirectory(unfinished);
            Path memory = unfinished.resolve(MEMORY);
            FileTrouble.on(memory, () -> {
                create(memory).close();
                source.writeTo(memory);
                return memory;
            });
            Description description = new Description(machine, Instant.now().toString(), Files.size(memory));
            try (OutputStream out = create(unfinished.resolve(DESCRIPTION))) {
                String text = new GsonBuilder().setPrettyPrinting().create().toJson(description) + "\n";
                out.write(text.getBytes(StandardCharsets.UTF_8));
            }
            delete(directory);
            Files.move(unfinished, directory, StandardCopyOption.ATOMIC_MOVE);
            log.accept("Later starts are restored from " + directory + " (" + (description.bytes >> 20) + " MiB)");
        } finally {
            delete(unfinished);
        }
    }

    private static OutputStream create(Path file) throws IOException {
        return FileTrouble.on(file, () -> Channels.newOutputStream(PrivateFiles.create(file)));
    }

    private static void delete(Path directory) throws IOException {
        for (String file : List.of(DESCRIPTION, MEMORY)) {
            Files.deleteIfExists(directory.resolve(file));
        }
        Files.deleteIfExists(directory);
    }
}
