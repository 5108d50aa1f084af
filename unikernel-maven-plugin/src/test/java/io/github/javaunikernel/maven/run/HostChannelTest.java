// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against a guest that is a function from requests to answers, on a socket as QEMU makes it. */
class HostChannelTest {

    private static final Duration LIMIT = Duration.ofSeconds(3600);

    @TempDir
    Path directory;

    private record Answer(int error, byte[] bytes) {
        static Answer of(String text) {
            return new Answer(0, text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private interface Use {
        void of(HostChannel channel) throws Exception;
    }

    /** Another client has left half a request in the guest, and the guest an answer that nobody has read. */
    @Test
    void passesOverWhatIsLeft() throws Exception {
        with(
                "left 0 5\nab\nc ",
                request -> request.startsWith("jvm ") ? Answer.of("0\nanswer\n") : Answer.of(""),
                guest -> assertEquals("answer\n", guest.jcmd("VM.uptime", LIMIT)));
    }

    @Test
    void joinsThePiecesOfAnAnswer() throws Exception {
        String[] pieces = {"0\none ", "two ", "three", ""};
        int[] next = {0};
        with(
                "",
                request -> Answer.of(pieces[next[0]++]),
                guest -> assertEquals("one two three", guest.jcmd("x", LIMIT)));
        assertEquals(pieces.length, next[0]);
    }

    @Test
    void copiesFiles() throws Exception {
        byte[] content = new byte[70_000];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) (i * 7);
        }
        Path copy = directory.resolve("copy");
        with("", request -> piece(content, request), guest -> guest.fetch("/tmp/a b", copy));
        assertArrayEquals(content, Files.readAllBytes(copy));
    }

    @Test
    void leavesNoHalfFile() throws Exception {
        Path copy = directory.resolve("copy");
        with(
                "",
                request -> new Answer(5, new byte[0]),
                guest -> assertThrows(ExplainedException.class, () -> guest.fetch("/tmp/a", copy)));
        assertFalse(Files.exists(copy));
    }

    @Test
    void saysWhatIsWrong() throws Exception {
        with(
                "",
                request -> Answer.of(request.startsWith("jvm") ? "-1\nUnknown diagnostic command\n" : ""),
                guest -> assertMessage(guest, "The JVM refuses 'x': Unknown diagnostic command"));
        with("", request -> new Answer(95, new byte[0]), guest -> assertMessage(guest, "it is no JVM"));
        with("", request -> new Answer(110, new byte[0]), guest -> assertMessage(guest, "within 3600 s"));
        with("", request -> null, guest -> assertMessage(guest, "The guest ended meanwhile"));
        SettingException none =
                assertThrows(SettingException.class, () -> HostChannel.connect(directory.resolve("none")));
        assertTrue(none.getMessage().contains("unikernel:start"), none.getMessage());
    }

    @Test
    void switchesWhatTheKernelPrints() throws Exception {
        List<String> requests = new ArrayList<>();
        with(
                "",
                request -> {
                    requests.add(request);
                    return Answer.of("");
                },
                guest -> {
                    guest.trace("openat,EINVAL");
                    guest.capture(64);
                    guest.profile(99);
                    guest.lockStatistics(true);
                    guest.lockStatistics(false);
                });
        assertEquals(List.of("trace openat,EINVAL", "capture 64", "profile 99", "lockstat 1", "lockstat 0"), requests);
        with("", request -> new Answer(22, new byte[0]), guest -> {
            ExplainedException refused = assertThrows(ExplainedException.class, () -> guest.profile(10001));
            assertTrue(refused.getMessage().contains("10001 samples a second"), refused.getMessage());
        });
    }

    @Test
    void writesTheTableOfLocks() throws Exception {
        Path file = directory.resolve("locks");
        with(
                "",
                request -> request.equals("locks") ? Answer.of("class name\nnet\n") : null,
                guest -> Dump.LOCKS.take(guest, new Dump.Request(file, "/tmp", LIMIT, LIMIT)));
        assertEquals("class name\nnet\n", Files.readString(file));
        with("", request -> new Answer(38, new byte[0]), guest -> {
            ExplainedException refused = assertThrows(ExplainedException.class, guest::locks);
            assertTrue(refused.getMessage().contains("does not know the request"), refused.getMessage());
        });
    }

    private static void assertMessage(HostChannel guest, String part) {
        String message = assertThrows(ExplainedException.class, () -> guest.jcmd("x", LIMIT))
                .getMessage();
        assertTrue(message.contains(part), message);
    }

    private static Answer piece(byte[] content, String request) {
        String[] words = request.split(" ", 3);
        assertEquals("/tmp/a b", words[2]);
        int offset = Integer.parseInt(words[1]);
        return new Answer(0, Arrays.copyOfRange(content, offset, Math.min(content.length, offset + 32_768)));
    }

    /**
     * Runs a client against a guest.
     *
     * @param before what comes first
     * @param guest what it answers; null: the guest ends
     */
    private void with(String before, Function<String, Answer> guest, Use use) throws Exception {
        Path socket = ChannelSocket.reachable(
                        Files.createTempDirectory(directory, "s").resolve("c"))
                .orElseThrow();
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(socket));
            CompletableFuture<Void> served = CompletableFuture.runAsync(() -> serve(server, before, guest));
            try (HostChannel channel = HostChannel.connect(socket)) {
                use.of(channel);
            }
            served.get();
        }
    }

    private static void serve(ServerSocketChannel server, String before, Function<String, Answer> guest) {
        try (SocketChannel connection = server.accept();
                BufferedReader lines = new BufferedReader(
                        new InputStreamReader(Channels.newInputStream(connection), StandardCharsets.UTF_8))) {
            OutputStream out = Channels.newOutputStream(connection);
            out.write(before.getBytes(StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.isEmpty() && !answer(line, guest, out)) {
                    return;
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    private static boolean answer(String line, Function<String, Answer> guest, OutputStream out) throws IOException {
        String[] words = line.split(" ", 2);
        Answer answer = guest.apply(words[1]);
        if (answer != null) {
            out.write((words[0] + " " + answer.error() + " " + answer.bytes().length + "\n")
                    .getBytes(StandardCharsets.UTF_8));
            out.write(answer.bytes());
        }
        return answer != null;
    }
}
