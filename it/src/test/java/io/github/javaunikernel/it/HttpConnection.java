// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * One connection to the guest, kept open from request to request. Plain HTTP/1.1 over a socket, so that a test decides
 * what is a new connection. For use by one thread.
 */
final class HttpConnection implements AutoCloseable {

    private static final int PATIENCE_MILLIS = 900_000;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;

    HttpConnection(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(PATIENCE_MILLIS);
        in = new BufferedInputStream(socket.getInputStream(), 65536);
        out = socket.getOutputStream();
    }

    /** One request on a connection of its own; the answer as text. */
    static String get(int port, String path) throws IOException {
        try (HttpConnection connection = new HttpConnection(port)) {
            return connection.text(path);
        }
    }

    String text(String path) throws IOException {
        return new String(bytes(path), StandardCharsets.UTF_8);
    }

    byte[] bytes(String path) throws IOException {
        long length = request("GET " + path + " HTTP/1.1\r\nHost: guest\r\n\r\n");
        byte[] body = in.readNBytes(Math.toIntExact(length));
        if (body.length != length) {
            throw new EOFException(path + ": " + body.length + " of " + length + " bytes");
        }
        return body;
    }

    /** Asks for the path; the body of the answer, of the returned length, is to be read by the caller. */
    long open(String path) throws IOException {
        return request("GET " + path + " HTTP/1.1\r\nHost: guest\r\n\r\n");
    }

    InputStream body() {
        return in;
    }

    /** Sends the content of known length; the answer as text. */
    String post(String path, InputStream content, long length) throws IOException {
        out.write(("POST " + path + " HTTP/1.1\r\nHost: guest\r\nContent-Length: " + length + "\r\n\r\n")
                .getBytes(StandardCharsets.US_ASCII));
        content.transferTo(out);
        long answer = request("");
        return new String(in.readNBytes(Math.toIntExact(answer)), StandardCharsets.UTF_8);
    }

    /** Sends the head, reads that of the answer; returns the length of its body. */
    private long request(String head) throws IOException {
        out.write(head.getBytes(StandardCharsets.US_ASCII));
        String status = line();
        if (!status.startsWith("HTTP/1.1 200 ")) {
            throw new IOException("The guest answered: " + status);
        }
        long length = 0;
        for (String line = line(); !line.isEmpty(); line = line()) {
            if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
                length = Long.parseLong(line.substring(15).trim());
            }
        }
        return length;
    }

    private String line() throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c = in.read(); c != '\n'; c = in.read()) {
            if (c < 0) {
                throw new EOFException("The guest closed the connection after \"" + line + "\"");
            }
            if (c != '\r') {
                line.append((char) c);
            }
        }
        return line.toString();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
