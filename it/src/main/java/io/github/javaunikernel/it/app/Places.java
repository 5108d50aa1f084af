// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app;

import java.io.File;
import java.io.FileWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.prefs.Preferences;

/** What programs do in their working directory and their home, in a directory of its own there. */
final class Places {

    private static final long LEAST_ROOM = 10L << 20;

    private final Path place;
    private final Path own;

    Places(Path place) throws IOException {
        this.place = place;
        own = Files.createDirectories(
                place.resolve("survey-" + ProcessHandle.current().pid()));
    }

    void close() throws IOException {
        try (var files = Files.walk(own)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    Object hasRoom() throws IOException {
        File file = place.toAbsolutePath().toFile();
        return (file.getUsableSpace() > LEAST_ROOM) + " " + (file.getTotalSpace() >= file.getUsableSpace()) + " "
                + Files.isWritable(file.toPath())
                + Files.getFileStore(file.toPath()).isReadOnly();
    }

    Object canBeListed() throws IOException {
        try (var names = Files.list(place)) {
            return names.filter(name -> name.getFileName().equals(own.getFileName()))
                    .count();
        }
    }

    Object takesFiles() throws IOException {
        Path logs = Files.createDirectories(own.resolve("logs"));
        File log = logs.resolve("app.log").toFile();
        for (int line = 0; line < 3; line++) {
            try (PrintWriter writer = new PrintWriter(new FileWriter(log, true))) {
                writer.println("line " + line);
            }
        }
        Files.move(log.toPath(), own.resolve("app.log.1"), StandardCopyOption.ATOMIC_MOVE);
        return Files.readAllLines(own.resolve("app.log.1")) + " " + log.exists();
    }

    Object takesRandomAccess() throws IOException {
        try (RandomAccessFile file =
                new RandomAccessFile(own.resolve("database").toFile(), "rw")) {
            file.setLength(1 << 20);
            file.seek(70_000);
            file.writeUTF("in the middle");
            file.seek(70_000);
            return file.readUTF() + " " + file.length();
        }
    }

    Object takesMappings() throws IOException {
        Path file = Files.write(own.resolve("mapped"), new byte[100_000]);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
            mapped.putInt(50_000, 123_456);
            mapped.force();
        }
        try (RandomAccessFile read = new RandomAccessFile(file.toFile(), "r")) {
            read.seek(50_000);
            return read.readInt();
        }
    }

    Object takesDirectories() throws IOException {
        Path deep = Files.createDirectories(own.resolve("tomcat.8080/work/Tomcat"));
        Files.writeString(deep.resolve("page.class"), "page");
        Files.move(own.resolve("tomcat.8080"), own.resolve("tomcat.8081"));
        return Files.readString(own.resolve("tomcat.8081/work/Tomcat/page.class"))
                + Files.exists(own.resolve("tomcat.8080"));
    }

    static Object keepPreferences() throws Exception {
        Preferences node = Preferences.userRoot().node("unikernel-survey");
        node.put("colour", "green");
        node.flush();
        node.sync();
        List<String> keys = List.of(node.keys());
        node.removeNode();
        Preferences.userRoot().flush();
        return keys + " " + Preferences.userRoot().nodeExists("unikernel-survey");
    }

    /** The program's own classes: on Linux nothing keeps a program from changing its files either. */
    static Object classPathCanBeWritten() {
        File first = new File(System.getProperty("java.class.path").split(File.pathSeparator)[0]);
        return first.canRead() + " " + first.canWrite();
    }
}
