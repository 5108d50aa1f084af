// SPDX-License-Identifier: Apache-2.0
package example;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Virtual threads that block on sockets: a server with one for each connection, and as many clients. They outnumber
 * the processors by far, and each waits for an answer before it asks again.
 */
final class VirtualThreads implements Torture.Program {

    private static final int CLIENTS = 100;
    private final int questions;
    private final AtomicLong answered = new AtomicLong();

    VirtualThreads(int scale) {
        questions = 50 * scale;
    }

    private static void serve(Socket socket) throws IOException {
        try (socket;
                DataInputStream in = new DataInputStream(socket.getInputStream());
                DataOutputStream out = new DataOutputStream(socket.getOutputStream())) {
            for (long question = in.readLong(); question >= 0; question = in.readLong()) {
                out.writeLong(question * question);
            }
        }
    }

    private Void ask(int port, long client) throws Exception {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
                DataInputStream in = new DataInputStream(socket.getInputStream());
                DataOutputStream out = new DataOutputStream(socket.getOutputStream())) {
            for (long i = 0; i < questions; i++) {
                long question = client * questions + i;
                out.writeLong(question);
                Handovers.check(in.readLong() == question * question, "another's answer");
                answered.incrementAndGet();
                if (i % 10 == 0) {
                    Thread.sleep(1);
                }
                Progress.step();
            }
            out.writeLong(-1);
        }
        return null;
    }

    @Override
    public String run() throws Exception {
        try (ServerSocket listener = new ServerSocket(0, CLIENTS, InetAddress.getLoopbackAddress());
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            threads.submit(() -> {
                for (int i = 0; i < CLIENTS; i++) {
                    Socket socket = listener.accept();
                    threads.submit(() -> {
                        serve(socket);
                        return null;
                    });
                }
                return null;
            });
            List<Future<Void>> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                long client = i;
                clients.add(threads.submit(() -> ask(listener.getLocalPort(), client)));
            }
            for (Future<Void> client : clients) {
                client.get();
            }
        }
        Handovers.check(answered.get() == (long) CLIENTS * questions, "answered: " + answered);
        return answered + " answers";
    }
}
