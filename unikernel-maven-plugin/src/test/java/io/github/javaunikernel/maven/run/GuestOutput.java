// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.Pipe;
import java.nio.charset.StandardCharsets;

/**
 * What a guest that a test plays writes to its console. A pipe of the system: those of java.io break when the thread
 * that wrote last has ended, and JUnit calls each method of a test in a thread of its own.
 */
final class GuestOutput implements AutoCloseable {

    private final InputStream read;
    private final OutputStream write;

    GuestOutput() throws IOException {
        Pipe pipe = Pipe.open();
        read = Channels.newInputStream(pipe.source());
        write = Channels.newOutputStream(pipe.sink());
    }

    /** Where the console reads; ends after {@link #close}. */
    InputStream stream() {
        return read;
    }

    void print(String text) throws IOException {
        write.write(text.getBytes(StandardCharsets.UTF_8));
    }

    /** The guest has ended. */
    @Override
    public void close() throws IOException {
        write.close();
    }
}
