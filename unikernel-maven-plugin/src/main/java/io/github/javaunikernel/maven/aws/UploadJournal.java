// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * What an upload has done so far, on disk, so that a killed one can be continued or swept up. One file per project and
 * region, append-only text, a line per event; a torn last line counts as not written. The file is locked while open,
 * which also keeps two deploys of one project apart. An empty file means that nothing is under way. Appending is
 * thread-safe.
 *
 * <pre>
 * upload TOKEN IMAGE-IDENTITY PARENT-SNAPSHOT|-
 * snapshot SNAPSHOT-ID
 * block INDEX
 * completed
 * </pre>
 */
final class UploadJournal implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;
    private final FileLock lock;
    private State state;

    private UploadJournal(Path file, FileChannel channel, FileLock lock, State state) {
        this.file = file;
        this.channel = channel;
        this.lock = lock;
        this.state = state;
    }

    /** An upload that was begun and neither registered nor deleted. */
    static final class State {
        private final String token;
        private final String identity;
        private final Optional<String> parent;
        private final Set<Integer> blocks = new HashSet<>();
        private String snapshotId;
        private boolean completed;

        private State(String token, String identity, Optional<String> parent) {
            this.token = token;
            this.identity = identity;
            this.parent = parent;
        }

        /** The client token of StartSnapshot, also the value of the snapshot's upload tag. */
        String token() {
            return token;
        }

        /** {@link BlockMap#identity()} of what is uploaded. */
        String identity() {
            return identity;
        }

        Optional<String> parent() {
            return parent;
        }

        /** Empty when the program ended between asking for the snapshot and hearing its id. */
        Optional<String> snapshotId() {
            return Optional.ofNullable(snapshotId);
        }

        boolean completed() {
            return completed;
        }
    }

    /** @throws CloudException when another process or thread has it open, or the file cannot be used */
    static UploadJournal open(Path file) throws CloudException {
        try {
            Files.createDirectories(file.getParent());
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            FileLock lock = tryLock(channel);
            if (lock == null) {
                channel.close();
                throw new CloudException(
                        Reason.BUSY,
                        "Another deploy of this project to the same region is running on this machine (" + file
                                + " is locked).");
            }
            String text = Files.readString(file, StandardCharsets.US_ASCII);
            // a torn last line is cut off, so that the next line starts afresh
            channel.truncate(text.lastIndexOf('\n') + 1L);
            channel.position(channel.size());
            return new UploadJournal(file, channel, lock, parse(file, text.substring(0, text.lastIndexOf('\n') + 1)));
        } catch (IOException e) {
            throw unusable(file, e);
        }
    }

    private static FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null;
        }
    }

    private static State parse(Path file, String text) throws CloudException {
        State state = null;
        for (String line : text.lines().toList()) {
            String[] words = line.split(" ");
            try {
                state = apply(state, words);
            } catch (RuntimeException e) {
                throw new CloudException(
                        Reason.RECORD,
                        CloudSetting.STATE_DIRECTORY,
                        "The record of uploads " + file
                                + " has a line that this version"
                                + " did not write: \"" + line + "\".",
                        "Delete the file, and the snapshot that it names if EC2" + " still has it.",
                        e);
            }
        }
        return state;
    }

    private static State apply(State state, String[] words) {
        switch (words[0]) {
            case "upload" -> {
                return new State(words[1], words[2], words[3].equals("-") ? Optional.empty() : Optional.of(words[3]));
            }
            case "snapshot" -> state.snapshotId = words[1];
            case "block" -> state.blocks.add(Integer.valueOf(words[1]));
            case "completed" -> state.completed = true;
            default -> throw new IllegalArgumentException(words[0]);
        }
        return state;
    }

    /** The upload under way; empty when there is none. */
    synchronized Optional<State> unfinished() {
        return Optional.ofNullable(state);
    }

    /** Notes a new upload before anything is asked of the service. */
    synchronized State begin(String identity, Optional<String> parent) throws CloudException {
        clear();
        state = new State(UUID.randomUUID().toString(), identity, parent);
        append("upload " + state.token + ' ' + identity + ' ' + parent.orElse("-"));
        return state;
    }

    synchronized void started(String snapshotId) throws CloudException {
        state.snapshotId = snapshotId;
        append("snapshot " + snapshotId);
    }

    synchronized void sent(int block) throws CloudException {
        state.blocks.add(block);
        append("block " + block);
    }

    synchronized boolean isSent(int block) {
        return state.blocks.contains(block);
    }

    synchronized void completed() throws CloudException {
        state.completed = true;
        append("completed");
    }

    /** Nothing is under way any more: registered, or deleted. */
    synchronized void clear() throws CloudException {
        state = null;
        try {
            channel.truncate(0);
        } catch (IOException e) {
            throw unusable(file, e);
        }
    }

    private void append(String line) throws CloudException {
        ByteBuffer bytes = StandardCharsets.US_ASCII.encode(line + '\n');
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            throw unusable(file, e);
        }
    }

    private static CloudException unusable(Path file, IOException e) {
        return new CloudException(
                Reason.RECORD,
                CloudSetting.STATE_DIRECTORY,
                "The record of uploads " + file + " cannot be written: " + FileTrouble.cause(file, e) + ".",
                "Make the directory writable, or name another one.",
                e);
    }

    @Override
    public synchronized void close() throws CloudException {
        try {
            lock.release();
            channel.close();
        } catch (IOException e) {
            throw unusable(file, e);
        }
    }
}
