// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What QEMU does with the words of its command, without a machine: connects to its sockets, answers QMP, prints what
 * the guest would, and what it was sent as a snapshot. Its memory in MiB decides what else it does: 1 is too much, 2
 * never ends when it is asked.
 */
final class FakeQemu {

    private static final Pattern COMMAND = Pattern.compile("\"execute\":\"([^\"]+)\"");
    private static final Pattern LINE = Pattern.compile("\"command-line\":\"([^\"]+)\"");
    private static final Pattern URI = Pattern.compile("\"uri\":\"unix:([^\"]+)\"");

    private final List<String> words;
    private final SocketChannel control;
    private final PrintStream reports;
    private String forwarded = "";

    private FakeQemu(List<String> words) throws IOException {
        this.words = words;
        control = connect("control");
        reports = new PrintStream(Channels.newOutputStream(connect("reports")), true, StandardCharsets.UTF_8);
    }

    /** Starts it as a program of this machine, with the words of a command after its own name. */
    static Path program(Path directory) throws IOException {
        return Scripts.write(
                directory.resolve("qemu-system-x86_64"),
                "exec '" + Path.of(System.getProperty("java.home"), "bin", "java") + "' -XX:TieredStopAtLevel=1 -cp '"
                        + System.getProperty("java.class.path") + "' " + FakeQemu.class.getName() + " \"$@\"");
    }

    public static void main(String[] arguments) throws IOException {
        List<String> words = Arrays.asList(arguments);
        if (words.get(words.indexOf("-m") + 1).equals("1")) {
            System.err.println("cannot set up guest memory");
            System.exit(1);
        }
        new FakeQemu(words).serve();
    }

    private SocketChannel connect(String name) throws IOException {
        String option = words.stream()
                .filter(word -> word.startsWith("socket,id=" + name + ","))
                .findFirst()
                .orElseThrow();
        return SocketChannel.open(UnixDomainSocketAddress.of(option.replaceFirst(".*path=", "")));
    }

    private void serve() throws IOException {
        PrintStream out = new PrintStream(Channels.newOutputStream(control), true, StandardCharsets.UTF_8);
        out.println("{\"QMP\":{}}");
        BufferedReader in =
                new BufferedReader(new InputStreamReader(Channels.newInputStream(control), StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            out.println("{\"return\":" + answer(word(COMMAND, line), line) + "}");
        }
    }

    private String answer(String command, String line) throws IOException {
        switch (command) {
            case "cont" -> {
                System.out.println("The guest runs");
                reports.println("listening 8080");
            }
            case "human-monitor-command" -> {
                return monitor(word(LINE, line));
            }
            case "migrate-incoming" -> receive(Path.of(word(URI, line)));
            case "system_powerdown" -> end(0);
            case "quit" -> end(3);
            default -> {
                return "{}";
            }
        }
        return "{}";
    }

    private String monitor(String command) {
        if (command.startsWith("hostfwd_add")) {
            forwarded = command.replaceFirst(".*-:", "");
            return "\"\"";
        }
        return "\"  TCP[HOST_FORWARD]  13  127.0.0.1 40000  10.0.2.15  " + forwarded + "  0  0\"";
    }

    private void end(int status) {
        if (words.get(words.indexOf("-m") + 1).equals("2")) {
            return;
        }
        reports.println("exit 0");
        System.out.println("The guest ends");
        System.exit(status);
    }

    private static void receive(Path socket) throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket));
        new Thread(() -> {
                    try (SocketChannel memory = server.accept()) {
                        Files.deleteIfExists(socket);
                        byte[] all = Channels.newInputStream(memory).readAllBytes();
                        System.out.println("Restored " + new String(all, StandardCharsets.UTF_8));
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                })
                .start();
    }

    private static String word(Pattern pattern, String line) {
        Matcher matcher = pattern.matcher(line);
        return matcher.find() ? matcher.group(1) : "";
    }
}
