// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FlowTest {

    private SocketChannel writer;
    private SocketChannel source;
    private SocketChannel sink;
    private SocketChannel reader;

    @BeforeEach
    void connect() throws IOException {
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            writer = SocketChannel.open(server.getLocalAddress());
            source = server.accept();
            reader = SocketChannel.open(server.getLocalAddress());
            sink = server.accept();
        }
    }

    @AfterEach
    void close() throws IOException {
        for (SocketChannel channel : new SocketChannel[] {writer, source, sink, reader}) {
            channel.close();
        }
    }

    @Test
    void nothingIsReadWhileThereIsNoRoom() throws IOException {
        Flow flow = new Flow(true);
        writer.write(ByteBuffer.allocate(32 * 1024));
        int held = 0;
        while (flow.canRead()) {
            held += flow.read(source);
        }
        assertEquals(16 * 1024, held);
        assertTrue(flow.canWrite());
        flow.write(sink);
        assertTrue(flow.canRead());
        assertFalse(flow.canWrite());
    }

    @Test
    void theEndComesAfterTheLastByteAndOnlyWhenItMay() throws IOException {
        Flow flow = new Flow(false);
        writer.write(ByteBuffer.wrap(new byte[] {7}));
        writer.shutdownOutput();
        while (!flow.hasEnded()) {
            flow.read(source);
        }
        flow.write(sink);
        assertFalse(flow.canRead());
        assertFalse(flow.canWrite());
        assertFalse(flow.isDone());
        flow.allowEnd();
        assertTrue(flow.canWrite());
        flow.write(sink);
        assertTrue(flow.isDone());
        ByteBuffer all = ByteBuffer.allocate(10);
        while (reader.read(all) >= 0) {
            assertTrue(all.hasRemaining());
        }
        assertEquals(1, all.position());
    }
}
