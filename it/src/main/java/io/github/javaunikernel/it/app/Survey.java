// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app;

import com.sun.management.HotSpotDiagnosticMXBean;
import com.sun.management.UnixOperatingSystemMXBean;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.net.ConnectException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.StandardProtocolFamily;
import java.net.URI;
import java.net.UnixDomainSocketAddress;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.Charset;
import java.nio.file.FileStore;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

/**
 * What the JDK finds in the system under it, one line for each thing it asks: the same on Linux and in the guest. Only
 * what has to be the same is said; sizes, names and numbers of the machine are not.
 */
public final class Survey {

    private interface Question {
        Object answer() throws Exception;
    }

    private final Path scratch;
    private final List<String> lines = new ArrayList<>();

    private Survey(Path scratch) {
        this.scratch = scratch;
    }

    /** Asks everything. */
    public static List<String> lines() throws IOException {
        Path scratch = Files.createTempDirectory("survey");
        try {
            Survey survey = new Survey(scratch);
            survey.askAboutTheProcess();
            survey.askAboutFiles();
            survey.askAboutLinks();
            survey.askAboutPlaces();
            survey.askAboutText();
            survey.askAboutChannels();
            survey.askAboutTheNetwork();
            survey.askAboutThreads();
            return survey.lines;
        } finally {
            try (var files = Files.walk(scratch)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    private void askAboutPlaces() throws IOException {
        for (String place : List.of("", System.getProperty("user.home"))) {
            Places places = new Places(Path.of(place));
            String name = place.isEmpty() ? "working directory" : "home";
            try {
                ask(name + " has room", places::hasRoom);
                ask(name + " can be listed", places::canBeListed);
                ask(name + " takes files", places::takesFiles);
                ask(name + " takes random access", places::takesRandomAccess);
                ask(name + " takes mappings", places::takesMappings);
                ask(name + " takes directories", places::takesDirectories);
            } finally {
                places.close();
            }
        }
        ask("preferences", Places::keepPreferences);
        ask("class path", Places::classPathCanBeWritten);
    }

    private void ask(String what, Question question) {
        try {
            lines.add(what + ": " + question.answer());
        } catch (Exception | LinkageError e) {
            lines.add(what + ": " + e);
        }
    }

    private void askAboutTheProcess() {
        ask("process handle", () -> {
            ProcessHandle.Info info = ProcessHandle.current().info();
            return info.command().orElse("").endsWith("/bin/java") + " "
                    + info.arguments().isPresent() + info.startInstant().isPresent()
                    + info.totalCpuDuration().isPresent();
        });
        ask("operating system bean", () -> {
            UnixOperatingSystemMXBean bean = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            return bean.getName() + " " + (bean.getTotalMemorySize() > bean.getFreeMemorySize())
                    + (bean.getFreeMemorySize() > 0) + (bean.getOpenFileDescriptorCount() > 2)
                    + (bean.getProcessCpuTime() > 0) + (bean.getSystemLoadAverage() >= 0)
                    + (bean.getCommittedVirtualMemorySize() > 0);
        });
        ask("uptime", () -> ManagementFactory.getRuntimeMXBean().getUptime() > 0);
        ask("heap dump", () -> {
            Path dump = scratch.resolve("dump.hprof");
            ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class).dumpHeap(dump.toString(), true);
            boolean large = Files.size(dump) > 500_000;
            Files.delete(dump);
            return large;
        });
        ask(
                "random",
                () -> SecureRandom.getInstanceStrong().generateSeed(16).length + " "
                        + new SecureRandom().getAlgorithm());
    }

    private void askAboutFiles() {
        ask("file store", () -> Files.getFileStore(scratch).getUsableSpace() > 1 << 20);
        ask("file stores", () -> {
            List<String> places = new ArrayList<>();
            for (FileStore store : FileSystems.getDefault().getFileStores()) {
                places.add(store.type());
            }
            return places.contains("proc");
        });
        ask("attributes", () -> {
            Path file = Files.writeString(scratch.resolve("x"), "x");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
            Files.setLastModifiedTime(file, FileTime.fromMillis(1234567890123L));
            PosixFileAttributes found = Files.readAttributes(file, PosixFileAttributes.class);
            return PosixFilePermissions.toString(found.permissions()) + " " + found.lastModifiedTime() + " "
                    + found.isRegularFile() + (found.fileKey() != null) + found.size();
        });
        ask("watch", () -> {
            try (WatchService watch = FileSystems.getDefault().newWatchService()) {
                scratch.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
                Files.writeString(scratch.resolve("new"), "new");
                WatchKey key = watch.poll(60, TimeUnit.SECONDS);
                return key == null ? "nothing" : key.pollEvents().get(0).context();
            }
        });
        ask("large directory", () -> {
            Path directory = Files.createDirectory(scratch.resolve("many"));
            for (int i = 0; i < 1000; i++) {
                Files.createFile(directory.resolve("file" + i));
            }
            try (var files = Files.list(directory)) {
                return files.count();
            }
        });
    }

    private void askAboutLinks() {
        ask("links", () -> {
            Files.createSymbolicLink(scratch.resolve("symbolic"), Path.of("x"));
            Files.createLink(scratch.resolve("hard"), scratch.resolve("x"));
            return Files.readSymbolicLink(scratch.resolve("symbolic")) + " "
                    + Files.isSameFile(scratch.resolve("hard"), scratch.resolve("symbolic")) + " "
                    + scratch.resolve("symbolic").toRealPath().getFileName();
        });
        ask("move", () -> {
            Files.move(scratch.resolve("x"), scratch.resolve("y"), StandardCopyOption.ATOMIC_MOVE);
            Files.copy(scratch.resolve("y"), scratch.resolve("z"), StandardCopyOption.COPY_ATTRIBUTES);
            return Files.exists(scratch.resolve("symbolic")) + " " + Files.getLastModifiedTime(scratch.resolve("z"));
        });
    }

    /** In scripts of one to four bytes a character, with combining marks, and a name as long as names may be. */
    private void askAboutText() {
        List<String> words = List.of(
                "Grüße",
                "Ελληνικά",
                "Русский",
                "עברית",
                "العربية",
                "हिन्दी",
                "ไทย",
                "中文",
                "日本語",
                "한국어",
                "🙂👩‍👩‍👧",
                "e\u0301",
                "語".repeat(85));
        ask("encodings", () -> System.getProperty("sun.jnu.encoding") + " " + Charset.defaultCharset());
        ask("variable", () -> System.getenv("LAB_TEXT"));
        ask("property", () -> System.getProperty("lab.text"));
        for (String word : words) {
            ask("name " + word, () -> {
                Path file = Files.writeString(scratch.resolve(word), word);
                String found = null;
                try (var names = Files.list(scratch)) {
                    for (Path name : names.toList()) {
                        found = name.getFileName().toString().equals(word) ? word : found;
                    }
                }
                return found + " " + file.toRealPath().getFileName() + " "
                        + file.toFile().exists() + Files.readString(file).equals(word);
            });
        }
    }

    private void askAboutChannels() {
        ask("mapping", () -> {
            try (FileChannel channel = FileChannel.open(
                    scratch.resolve("mapped"),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.READ,
                    StandardOpenOption.WRITE)) {
                MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, 1 << 20);
                mapped.putLong(777, 42);
                mapped.force();
                ByteBuffer read = ByteBuffer.allocate(8);
                channel.read(read, 777);
                return read.flip().getLong();
            }
        });
        ask("transfer", () -> {
            try (FileChannel from = FileChannel.open(scratch.resolve("mapped"));
                    FileChannel to = FileChannel.open(
                            scratch.resolve("copy"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                return from.transferTo(0, from.size(), to) + " "
                        + Files.mismatch(scratch.resolve("mapped"), scratch.resolve("copy"));
            }
        });
        ask("lock", () -> {
            try (FileChannel channel = FileChannel.open(scratch.resolve("mapped"), StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                return lock.isValid();
            }
        });
        ask("asynchronous file", () -> {
            try (AsynchronousFileChannel channel = AsynchronousFileChannel.open(
                    scratch.resolve("later"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                return channel.write(ByteBuffer.wrap(new byte[5]), 3).get() + " " + channel.size();
            }
        });
        ask("local socket", () -> {
            UnixDomainSocketAddress address = UnixDomainSocketAddress.of(scratch.resolve("socket"));
            try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
                server.bind(address);
                try (SocketChannel client = SocketChannel.open(address);
                        SocketChannel accepted = server.accept()) {
                    client.write(ByteBuffer.wrap(new byte[3]));
                    return accepted.read(ByteBuffer.allocate(9));
                }
            }
        });
        ask("selector", () -> {
            try (Selector selector = Selector.open()) {
                Thread waker = new Thread(selector::wakeup);
                waker.start();
                int selected = selector.select(60_000);
                waker.join();
                return selected;
            }
        });
    }

    private void askAboutTheNetwork() {
        ask("loopback", () -> {
            NetworkInterface loopback = NetworkInterface.getByName("lo");
            return loopback.isUp() + " " + loopback.isLoopback() + " " + (loopback.getMTU() > 1500) + " "
                    + (loopback.getHardwareAddress() == null);
        });
        ask("own name", () -> InetAddress.getLocalHost().getHostName().isEmpty());
        ask("localhost", () -> InetAddress.getByName("localhost"));
        ask("refused", () -> {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress("127.0.0.1", 1), 60_000);
                return "connected";
            } catch (ConnectException e) {
                return e.getMessage();
            }
        });
        ask("datagram", () -> {
            InetAddress loopback = InetAddress.getLoopbackAddress();
            try (DatagramSocket server = new DatagramSocket(0, loopback);
                    DatagramSocket client = new DatagramSocket()) {
                client.send(new DatagramPacket(new byte[3], 3, loopback, server.getLocalPort()));
                DatagramPacket received = new DatagramPacket(new byte[10], 10);
                server.setSoTimeout(60_000);
                server.receive(received);
                return received.getLength() + " " + received.getAddress();
            }
        });
        ask("client and server", () -> {
            HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
            server.createContext("/", exchange -> {
                byte[] count = String.valueOf(exchange.getRequestBody().readAllBytes().length)
                        .getBytes();
                exchange.sendResponseHeaders(200, count.length);
                exchange.getResponseBody().write(count);
                exchange.close();
            });
            server.start();
            try {
                URI uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
                HttpRequest request = HttpRequest.newBuilder(uri)
                        .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[300_000]))
                        .build();
                return HttpClient.newHttpClient()
                        .send(request, HttpResponse.BodyHandlers.ofString())
                        .body();
            } finally {
                server.stop(0);
            }
        });
    }

    private void askAboutThreads() {
        ask("thread times", () -> {
            ThreadMXBean bean = ManagementFactory.getThreadMXBean();
            return (bean.getCurrentThreadCpuTime() > 0) + " " + (bean.getCurrentThreadUserTime() >= 0) + " "
                    + (bean.dumpAllThreads(true, true).length > 3);
        });
        ask("many threads", () -> {
            CountDownLatch met = new CountDownLatch(300);
            List<Thread> threads = IntStream.range(0, 300)
                    .mapToObj(i -> new Thread(met::countDown))
                    .toList();
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
            return met.getCount();
        });
        ask(
                "parallel sum",
                () -> IntStream.range(0, 100_000).parallel().asLongStream().sum());
        ask("timer", () -> {
            ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
            try {
                long before = System.nanoTime();
                timer.schedule(() -> "late", 30, TimeUnit.MILLISECONDS).get();
                return System.nanoTime() - before >= 30_000_000;
            } finally {
                timer.shutdown();
            }
        });
    }
}
