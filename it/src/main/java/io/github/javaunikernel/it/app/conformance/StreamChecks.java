// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app.conformance;

import java.io.BufferedReader;
import java.io.File;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.FileReader;
import java.io.FileWriter;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/** java.io streams and random access, the process' own streams, archives. */
final class StreamChecks implements Conformance.Area {

    private Conformance checks;

    @Override
    public void run(Conformance all) throws Exception {
        checks = all;
        for (int size : new int[] {0, 1, 4095, 4096, 4097, 65536, 1_000_003}) {
            roundTrip(size);
        }
        inputs();
        randomAccess();
        descriptors();
        processes();
        archives();
    }

    private static byte[] bytes(int size) {
        byte[] content = new byte[size];
        for (int i = 0; i < size; i++) {
            content[i] = (byte) (i * 31 + (i >> 8));
        }
        return content;
    }

    private void roundTrip(int size) {
        checks.check("round trip of " + size, () -> {
            File file = checks.file("size" + size).toFile();
            try (FileOutputStream out = new FileOutputStream(file)) {
                out.write(bytes(size));
                out.getFD().sync();
            }
            try (FileInputStream in = new FileInputStream(file)) {
                return in.available() + " " + Arrays.equals(bytes(size), in.readAllBytes()) + " " + in.read() + " "
                        + in.available();
            }
        });
        checks.check("skip in " + size, () -> {
            try (FileInputStream in =
                    new FileInputStream(checks.file("size" + size).toFile())) {
                long skipped = in.skip(size / 2);
                return skipped + " " + in.read() + " " + in.skip(Integer.MAX_VALUE) + " " + in.read();
            }
        });
        checks.check("mark in " + size, () -> {
            try (InputStream in = Files.newInputStream(checks.file("size" + size))) {
                return in.markSupported() + " " + in.readNBytes(10).length + " "
                        + in.transferTo(OutputStreams.nowhere());
            }
        });
    }

    private static final class OutputStreams {
        static java.io.OutputStream nowhere() {
            return java.io.OutputStream.nullOutputStream();
        }
    }

    private void inputs() {
        for (String name : new String[] {"absent", ".", "size1/below", "\0"}) {
            String shown = name.replace("\0", "NUL");
            checks.check(
                    "read " + shown,
                    () -> new FileInputStream(
                            checks.file("x").resolveSibling(".").toString() + "/" + name));
            checks.check(
                    "write " + shown,
                    () -> new FileOutputStream(checks.scratch() + "/" + name + (name.equals("absent") ? "/x" : "")));
            checks.check("random access to " + shown, () -> new RandomAccessFile(checks.scratch() + "/" + name, "r"));
        }
        checks.check("closed stream", () -> {
            FileInputStream in = new FileInputStream(checks.file("size1").toFile());
            in.close();
            return in.read();
        });
        checks.check("reader and writer", () -> {
            File file = checks.file("text").toFile();
            try (FileWriter writer = new FileWriter(file, StandardCharsets.UTF_16)) {
                writer.write("één\ntwee\r\ndrie");
            }
            try (BufferedReader reader = new BufferedReader(new FileReader(file, StandardCharsets.UTF_16))) {
                return reader.lines().toList();
            }
        });
        checks.check("append to a stream", () -> {
            try (FileOutputStream out =
                    new FileOutputStream(checks.file("text2").toFile(), true)) {
                out.write('a');
            }
            try (FileOutputStream out =
                    new FileOutputStream(checks.file("text2").toFile(), true)) {
                out.write('b');
            }
            return Files.readString(checks.file("text2"));
        });
        checks.check("pipe between threads", () -> {
            PipedInputStream in = new PipedInputStream(100);
            PipedOutputStream out = new PipedOutputStream(in);
            Thread writer = new Thread(() -> {
                try (out) {
                    out.write(bytes(10_000));
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            writer.start();
            boolean same = Arrays.equals(bytes(10_000), in.readAllBytes());
            writer.join();
            return same;
        });
    }

    private void randomAccess() {
        for (String mode : new String[] {"r", "rw", "rws", "rwd"}) {
            checks.check("mode " + mode, () -> {
                try (RandomAccessFile file =
                        new RandomAccessFile(checks.file("size4096").toFile(), mode)) {
                    file.seek(4000);
                    long value = file.readLong();
                    file.seek(4000);
                    file.writeLong(value);
                    return value + " " + file.getFilePointer() + " " + file.length();
                }
            });
        }
        for (long length : new long[] {0, 5, 4096, 1L << 20, 3L << 30}) {
            checks.check("length " + length, () -> {
                try (RandomAccessFile file =
                        new RandomAccessFile(checks.file("sparse").toFile(), "rw")) {
                    file.setLength(length);
                    file.seek(Math.max(0, length - 1));
                    return file.length() + " " + file.read() + " " + file.getFilePointer() + " " + file.read();
                }
            });
        }
        checks.check("write far beyond the end", () -> {
            try (RandomAccessFile file = new RandomAccessFile(checks.file("far").toFile(), "rw")) {
                file.seek(5_000_000_000L);
                file.write(7);
                file.seek(2_500_000_000L);
                return file.length() + " " + file.read();
            }
        });
        checks.check("negative seek", () -> {
            try (RandomAccessFile file = new RandomAccessFile(checks.file("far").toFile(), "r")) {
                file.seek(-1);
                return "sought";
            }
        });
        checks.check("read past the end", () -> {
            try (RandomAccessFile file =
                    new RandomAccessFile(checks.file("size1").toFile(), "r")) {
                file.seek(100);
                return file.read() + " " + file.read(new byte[3]) + " " + file.length();
            }
        });
        checks.check("readFully past the end", () -> {
            try (RandomAccessFile file =
                    new RandomAccessFile(checks.file("size1").toFile(), "r")) {
                file.readFully(new byte[2]);
                return "read";
            }
        });
    }

    private void descriptors() {
        checks.check(
                "standard descriptors",
                () -> FileDescriptor.in.valid() + " " + FileDescriptor.out.valid() + " " + FileDescriptor.err.valid());
        checks.check("descriptors stay few", () -> {
            for (int i = 0; i < 5000; i++) {
                new FileInputStream(checks.file("size1").toFile()).close();
            }
            return "5000 opened";
        });
        checks.check("many open at once", () -> {
            FileInputStream[] open = new FileInputStream[500];
            for (int i = 0; i < open.length; i++) {
                open[i] = new FileInputStream(checks.file("size1").toFile());
            }
            int sum = 0;
            for (FileInputStream in : open) {
                sum += in.read() + 1;
                in.close();
            }
            return sum;
        });
        checks.check("console", () -> new PrintStream(new FileOutputStream(FileDescriptor.err)).checkError());
    }

    /** Another program cannot be started in the guest, so only what is the same is asked. */
    private void processes() {
        checks.check(
                "own process",
                () -> ProcessHandle.current().isAlive() + " "
                        + ProcessHandle.current().supportsNormalTermination() + " "
                        + ProcessHandle.of(ProcessHandle.current().pid()).isPresent() + " "
                        + ProcessHandle.of(999_999_999L).isPresent());
        checks.check("children", () -> ProcessHandle.current().children().count());
        checks.check("destroy oneself", () -> ProcessHandle.current().destroy());
        checks.check("absent program", () -> {
            try {
                new ProcessBuilder("/no/such/program").start();
                return "started";
            } catch (java.io.IOException e) {
                return "IOException";
            }
        });
    }

    private void archives() {
        for (int entries : new int[] {0, 1, 100}) {
            checks.check("zip of " + entries, () -> {
                File file = checks.file("archive" + entries + ".zip").toFile();
                try (ZipOutputStream out = new ZipOutputStream(new FileOutputStream(file))) {
                    for (int i = 0; i < entries; i++) {
                        out.putNextEntry(new ZipEntry("directory/entry" + i));
                        out.write(bytes(i * 100));
                    }
                }
                CRC32 sum = new CRC32();
                try (ZipFile zip = new ZipFile(file)) {
                    for (var all = zip.entries(); all.hasMoreElements(); ) {
                        sum.update(zip.getInputStream(all.nextElement()).readAllBytes());
                    }
                    return zip.size() + " " + sum.getValue();
                }
            });
        }
        checks.check("gzip", () -> {
            File file = checks.file("x.gz").toFile();
            try (GZIPOutputStream out = new GZIPOutputStream(new FileOutputStream(file))) {
                out.write(bytes(300_000));
            }
            try (GZIPInputStream in = new GZIPInputStream(new FileInputStream(file))) {
                return Arrays.equals(bytes(300_000), in.readAllBytes());
            }
        });
    }
}
