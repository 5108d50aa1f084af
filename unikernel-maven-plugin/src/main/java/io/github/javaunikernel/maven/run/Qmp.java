// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.github.javaunikernel.maven.settings.ExplainedException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;

/** The control connection to QEMU (QEMU Machine Protocol: one JSON object a line). May be used by several threads. */
final class Qmp {

    private static final Gson GSON = new Gson();
    /** Stands in the queue of answers for the end of the connection. */
    private static final JsonObject END = new JsonObject();

    private final SocketChannel connection;
    private final BlockingQueue<JsonObject> answers = new LinkedBlockingQueue<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();

    /** Connects; {@link #greet} comes first. */
    Qmp(SocketChannel connection) {
        this.connection = connection;
        Thread reader = new Thread(() -> read(Channels.newInputStream(connection)), "unikernel qmp");
        reader.setDaemon(true);
        reader.start();
    }

    /** Takes QEMU's greeting and ends the negotiation. */
    void greet() throws IOException {
        next();
        execute("qmp_capabilities", Map.of());
    }

    /** Runs a command of QEMU's monitor for humans; some things only that one can do. Returns what it prints. */
    String monitor(String commandLine) throws IOException {
        return execute("human-monitor-command", Map.of("command-line", commandLine))
                .get("return")
                .getAsString()
                .strip();
    }

    /** Runs a command and returns the answer. */
    synchronized JsonObject execute(String command, Map<String, ?> arguments) throws IOException {
        String text = GSON.toJson(Map.of("execute", command, "arguments", arguments)) + "\n";
        try {
            send(text);
        } catch (IOException e) {
            throw hasEnded(e);
        }
        JsonObject answer = next();
        if (answer.has("error")) {
            throw new ExplainedException("QEMU refuses " + command + ": "
                    + answer.getAsJsonObject("error").get("desc").getAsString()
                    + ". Name another QEMU with -Dunikernel.qemu.");
        }
        return answer;
    }

    /** Has QEMU end, also while another command waits for its answer. There may be no answer any more. */
    void quit() {
        try {
            send("{\"execute\":\"quit\"}\n");
        } catch (IOException e) {
            // It has ended before.
            return;
        }
    }

    /** Not through a stream, which would wait until the reading thread has got something. */
    private void send(String text) throws IOException {
        for (ByteBuffer rest = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)); rest.hasRemaining(); ) {
            connection.write(rest);
        }
    }

    /** Done when QEMU has closed the connection. */
    CompletableFuture<Void> ended() {
        return ended;
    }

    private JsonObject next() throws IOException {
        try {
            JsonObject answer = answers.take();
            if (answer == END) {
                answers.add(END);
                throw hasEnded(null);
            }
            return answer;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ExplainedException("Interrupted while waiting for QEMU. Run again when ready.", e);
        }
    }

    private static ExplainedException hasEnded(IOException cause) {
        return new ExplainedException(
                "QEMU has ended unexpectedly. Look for its message on the guest's" + " console.", cause);
    }

    private void read(InputStream in) {
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                JsonObject message = JsonParser.parseString(line).getAsJsonObject();
                if (!message.has("event")) {
                    answers.add(message);
                }
            }
            ended.complete(null);
        } catch (IOException e) {
            ended.completeExceptionally(e);
        } finally {
            answers.add(END);
        }
    }
}
