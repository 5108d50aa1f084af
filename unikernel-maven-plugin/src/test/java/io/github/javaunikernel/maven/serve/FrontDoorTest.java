// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import static io.github.javaunikernel.maven.serve.FakeHost.limits;
import static io.github.javaunikernel.maven.serve.FakeHost.read;
import static io.github.javaunikernel.maven.serve.FakeHost.readAll;
import static io.github.javaunikernel.maven.serve.FakeHost.send;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Bytes and instances, with instances in this process and real sockets. */
class FrontDoorTest {

    private static final Duration IDLE = Duration.ofSeconds(60);
    private static final Duration DRAIN = Duration.ofSeconds(30);

    /** Answers each four bytes with them and its own number. */
    private static void echo(FakeInstance instance, Socket client) throws IOException {
        for (String word = read(client, 4); word.length() == 4; word = read(client, 4)) {
            send(client, word + instance.number);
        }
    }

    private static String ask(Socket client, String word) throws IOException {
        send(client, word);
        return read(client, 5);
    }

    @Test
    void theFirstConnectionStartsAnInstanceForAll() throws Exception {
        try (FakeHost host = new FakeHost(limits(0, 1, 10), FrontDoorTest::echo)) {
            assertFalse(host.hasStarted());
            Socket first = host.connect();
            assertEquals("one.1", ask(first, "one."));
            assertEquals("two.1", ask(first, "two."));
            assertEquals("more1", ask(host.connect(), "more"));
            Status status = host.door().status();
            assertEquals(1, status.starts());
            assertEquals(2, status.connections());
        }
    }

    @Test
    void aClientsHalfCloseIsPassedOn() throws Exception {
        FakeInstance.Program counts = (instance, client) -> send(client, "got " + readAll(client));
        try (FakeHost host = new FakeHost(limits(0, 1, 10), counts)) {
            host.readyAtOnce = false;
            Socket client = host.connect();
            send(client, "all");
            client.shutdownOutput();
            // Sent and ended before there was an instance.
            host.nextInstance().ready.complete(null);
            assertEquals("got all", readAll(client));
        }
    }

    @Test
    void aProgramsHalfCloseIsPassedOn() throws Exception {
        CompletableFuture<String> rest = new CompletableFuture<>();
        FakeInstance.Program speaksFirst = (instance, client) -> {
            send(client, "hello");
            client.shutdownOutput();
            rest.complete(readAll(client));
        };
        try (FakeHost host = new FakeHost(limits(0, 1, 10), speaksFirst)) {
            Socket client = host.connect();
            assertEquals("hello", readAll(client));
            send(client, "still here");
            client.shutdownOutput();
            assertEquals("still here", rest.get());
        }
    }

    /** Much more than all buffers hold, both ways at once, to readers that begin late. */
    @Test
    void nothingIsLostToSlowReaders() throws Exception {
        byte[] up = new byte[24 << 20];
        byte[] down = new byte[24 << 20];
        new Random(1).nextBytes(up);
        new Random(2).nextBytes(down);
        CompletableFuture<byte[]> received = new CompletableFuture<>();
        CompletableFuture<Void> mayRead = new CompletableFuture<>();
        AtomicInteger connections = new AtomicInteger();
        FakeInstance.Program exchange = (instance, client) -> {
            if (connections.incrementAndGet() > 1) {
                echo(instance, client);
                return;
            }
            FakeInstance.thread(() -> {
                mayRead.join();
                try {
                    received.complete(client.getInputStream().readAllBytes());
                } catch (IOException e) {
                    received.completeExceptionally(e);
                }
            });
            client.getOutputStream().write(down);
            client.shutdownOutput();
            received.join();
        };
        try (FakeHost host = new FakeHost(limits(0, 1, 10), exchange)) {
            Socket client = host.connect();
            FakeInstance.thread(() -> {
                try {
                    client.getOutputStream().write(up);
                    client.shutdownOutput();
                } catch (IOException e) {
                    throw new IllegalStateException(e);
                }
            });
            byte[] first = client.getInputStream().readNBytes(1000);
            assertEquals(1000, first.length);
            // Another connection is not held up meanwhile.
            assertEquals("fast1", ask(host.connect(), "fast"));
            mayRead.complete(null);
            byte[] rest = client.getInputStream().readAllBytes();
            byte[] all = new byte[down.length];
            System.arraycopy(first, 0, all, 0, first.length);
            System.arraycopy(rest, 0, all, first.length, rest.length);
            assertArrayEquals(down, all);
            assertArrayEquals(up, received.get());
        }
    }

    @Test
    void eachOfABurstIsAnsweredOnce() throws Exception {
        List<String> asked = Collections.synchronizedList(new ArrayList<>());
        FakeInstance.Program notes = (instance, client) -> {
            String word = read(client, 4);
            asked.add(word);
            send(client, word + instance.number);
        };
        try (FakeHost host = new FakeHost(limits(0, 1, 256), notes)) {
            host.readyAtOnce = false;
            List<Socket> clients = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                clients.add(host.connect());
                send(clients.get(i), String.valueOf(1000 + i));
            }
            host.nextInstance().ready.complete(null);
            for (int i = 0; i < 200; i++) {
                assertEquals(1000 + i + "1", readAll(clients.get(i)));
            }
            assertEquals(
                    IntStream.range(1000, 1200).mapToObj(String::valueOf).toList(),
                    asked.stream().sorted().toList());
            assertEquals(1, host.door().status().starts());
        }
    }

    @Test
    void aKilledInstanceResetsItsClientsAndTheNextOneIsAnswered() throws Exception {
        CompletableFuture<Void> inTheMiddle = new CompletableFuture<>();
        FakeInstance.Program slow = (instance, client) -> {
            if (instance.number > 1) {
                echo(instance, client);
                return;
            }
            send(client, "half of");
            client.getInputStream().read();
            inTheMiddle.complete(null);
            instance.end.join();
        };
        try (FakeHost host = new FakeHost(limits(0, 1, 10), slow)) {
            Socket client = host.connect();
            assertEquals("half of", read(client, 7));
            send(client, "x");
            inTheMiddle.join();
            FakeInstance killed = host.nextInstance();
            killed.breakOff();
            // Even before its end is known.
            assertThrows(IOException.class, () -> readAll(client));
            killed.end.complete("The guest ended before its program did (status 137).");
            assertEquals(
                    "Instance 1 has failed. The guest ended before its program did (status 137).",
                    host.await("has failed"));
            assertEquals("next2", ask(host.connect(), "next"));
            assertEquals(1, host.door().status().failures());
        }
    }

    @Test
    void whoHasNotReachedAnInstanceWaitsForTheNext() throws Exception {
        try (FakeHost host = new FakeHost(limits(0, 1, 10), FrontDoorTest::echo)) {
            assertEquals("one.1", ask(host.connect(), "one."));
            host.nextInstance().becomeDeaf();
            assertEquals("two.2", ask(host.connect(), "two."));
            host.await("Instance 1 takes no connections and is ended");
            assertEquals(1, host.door().status().failures());
        }
    }

    @Test
    void anIdleInstanceIsStoppedAndTheNextConnectionStartsAnother() throws Exception {
        try (FakeHost host = new FakeHost(limits(0, 1, 10), FrontDoorTest::echo)) {
            Socket open = host.connect();
            assertEquals("one.1", ask(open, "one."));
            host.pass(IDLE.multipliedBy(2));
            // Still open, so the instance is not idle, however long that takes.
            assertEquals("two.1", ask(open, "two."));
            open.shutdownOutput();
            assertEquals("", readAll(open));
            host.pass(IDLE.minusNanos(1));
            Socket again = host.connect();
            assertEquals("new.1", ask(again, "new."));
            again.shutdownOutput();
            assertEquals("", readAll(again));
            host.pass(IDLE);
            host.await("Stopping instance 1");
            host.await("Instance 1 has ended");
            assertTrue(host.nextInstance().retired);
            assertEquals("more2", ask(host.connect(), "more"));
            assertEquals(0, host.door().status().failures());
        }
    }

    /** Such as deleting a snapshot that is not complete. */
    @Test
    void whatAnIdleInstanceDoesIsOverBeforeTheDoorEnds() throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        try (FakeHost host = new FakeHost(limits(0, 1, 10), FrontDoorTest::echo)) {
            Socket client = host.connect();
            assertEquals("one.1", ask(client, "one."));
            FakeInstance instance = host.nextInstance();
            instance.retirement = () -> {
                instance.end.join();
                while (!host.door().status().instances().isEmpty()) {
                    Thread.onSpinWait();
                }
                over.set(true);
            };
            client.shutdownOutput();
            assertEquals("", readAll(client));
            host.pass(IDLE);
            host.await("Stopping instance 1");
            host.door().kill();
            host.awaitEnd();
            assertTrue(over.get());
        }
    }

    @Test
    void theLeastNumberRunsWithoutConnections() throws Exception {
        try (FakeHost host = new FakeHost(limits(2, 3, 10), FrontDoorTest::echo)) {
            host.await("is ready");
            host.await("is ready");
            host.pass(IDLE.multipliedBy(2));
            List<String> answers = new ArrayList<>();
            List<Socket> open = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                open.add(host.connect());
                answers.add(ask(open.get(i), "word").substring(4));
            }
            // Each goes to the one with the fewest.
            assertEquals(List.of("1", "2", "1", "2"), answers);
            assertEquals(2, host.door().status().starts());
        }
    }

    @Test
    void fullInstancesLeadToMoreUpToTheGreatestNumber() throws Exception {
        try (FakeHost host = new FakeHost(limits(0, 2, 1), FrontDoorTest::echo)) {
            Socket first = host.connect();
            assertEquals("one.1", ask(first, "one."));
            assertEquals("two.2", ask(host.connect(), "two."));
            Socket third = host.connect();
            send(third, "wait");
            first.close();
            assertEquals("wait1", read(third, 5));
            assertEquals(2, host.door().status().starts());
        }
    }

    @Test
    void aCrashLoopSlowsDownAndClosesWhoWaits() throws Exception {
        try (FakeHost host = new FakeHost(limits(0, 1, 10), FrontDoorTest::echo)) {
            host.failure = "No main class. Name one.\n  | the console";
            Socket client = host.connect();
            // The second start comes at once, the third after a second.
            host.await("The next instance is not started before 1 s have passed");
            assertEquals(2, host.door().status().starts());
            host.pass(Duration.ofSeconds(1));
            assertTrue(host.await("Instance 3 has failed").endsWith("No main class. Name one.\n  | the console"));
            assertTrue(host.await("Connections are closed").contains("for the next 2 s"));
            assertThrows(IOException.class, () -> readAll(client));
            assertThrows(IOException.class, () -> readAll(host.connect()));
            assertEquals(3, host.door().status().starts());
            host.failure = null;
            host.pass(Duration.ofSeconds(2));
            assertEquals("good4", ask(host.connect(), "good"));
            assertEquals(2, host.door().status().rejected());
        }
    }

    @Test
    void aClientThatGivesUpWhileItWaitsIsForgotten() throws Exception {
        try (FakeHost host = new FakeHost(limits(0, 1, 1), FrontDoorTest::echo)) {
            host.readyAtOnce = false;
            Socket impatient = host.connect();
            FakeInstance instance = host.nextInstance();
            impatient.setSoLinger(true, 0);
            impatient.close();
            // Its place is free for the next one.
            Socket patient = host.connect();
            instance.ready.complete(null);
            assertEquals("here1", ask(patient, "here"));
        }
    }

    @Test
    void shuttingDownLetsOpenConnectionsEnd() throws Exception {
        try (FakeHost host = new FakeHost(limits(0, 1, 1), FrontDoorTest::echo)) {
            Socket open = host.connect();
            assertEquals("one.1", ask(open, "one."));
            Socket waits = host.connect();
            int port = host.door().ports().get(0);
            host.door().shutDown();
            assertThrows(IOException.class, () -> readAll(waits));
            assertThrows(IOException.class, () -> readAll(new Socket(InetAddress.getLoopbackAddress(), port)));
            assertEquals("last1", ask(open, "last"));
            assertEquals("draining", host.door().status().state());
            open.shutdownOutput();
            assertEquals("", readAll(open));
            host.awaitEnd();
            FakeInstance instance = host.nextInstance();
            assertTrue(instance.stopped && !instance.retired);
        }
    }

    @Test
    void shuttingDownDoesNotWaitForEver() throws Exception {
        try (FakeHost host = new FakeHost(limits(0, 1, 1), FrontDoorTest::echo)) {
            Socket open = host.connect();
            assertEquals("one.1", ask(open, "one."));
            host.door().shutDown();
            host.await("Waiting up to 30 s for open connections: 1");
            host.pass(DRAIN);
            assertThrows(IOException.class, () -> readAll(open));
            host.awaitEnd();
        }
    }

    @Test
    void anInstanceThatStartsWhileTheDoorShutsDownIsStopped() throws Exception {
        try (FakeHost host = new FakeHost(limits(1, 1, 1), FrontDoorTest::echo)) {
            host.readyAtOnce = false;
            FakeInstance instance = host.nextInstance();
            host.door().shutDown();
            host.awaitEnd();
            assertTrue(instance.stopped);
            assertEquals(0, host.door().status().failures());
        }
    }
}
