// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HealthTest {

    private static final Duration LONG = Duration.ofMinutes(5);

    private final Console console = new Console(text -> {});
    private final Reports reports = new Reports(0, 0);
    private GuestOutput guestOutput;
    private final AtomicInteger requests = new AtomicInteger();
    private HttpServer server;
    private int[] statuses;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/health", exchange -> {
            int number = requests.getAndIncrement();
            exchange.sendResponseHeaders(statuses[Math.min(number, statuses.length - 1)], -1);
            exchange.close();
        });
        server.start();
        guestOutput = new GuestOutput();
        console.follow(guestOutput.stream());
    }

    @AfterEach
    void stop() throws IOException {
        guestOutput.close();
        server.stop(0);
    }

    @Test
    void asksUntilTheAnswerIsGood() throws Exception {
        statuses = new int[] {503, 404, 204};
        reports.accept("listening 8080");
        Health.await(new FakeGuest(console, reports), Optional.of(health()), LONG);
        assertEquals(3, requests.get());
    }

    @Test
    void isContentWithAPortWhereThereIsNoUrl() throws Exception {
        reports.accept("listening 8080");
        Health.await(new FakeGuest(console, reports), Optional.empty(), LONG);
    }

    @Test
    void waitsForAnAddress() throws Exception {
        reports.accept("address 3232235777");
        assertEquals(
                "192.168.1.1",
                Health.awaitAddress(new FakeGuest(console, reports), LONG).getHostAddress());
        reports.accept("address 0");
        assertEquals(Optional.empty(), reports.address());
    }

    /** As when a plugin meets the kernel of a later version. */
    @Test
    void failsAtOnceWhenTheGuestReportsWhatIsNotKnown() {
        reports.follow(new ByteArrayInputStream("listening 8080\ndances 5\n".getBytes(StandardCharsets.UTF_8)));
        statuses = new int[] {503};
        GuestException e =
                assertThrows(GuestException.class, () -> Health.awaitAddress(new FakeGuest(console, reports), LONG));
        assertTrue(
                e.getMessage().contains("reports 'dances 5', which this plugin does not know. Build"), e.getMessage());
    }

    @Test
    void failsAtOnceWhenTheGuestEnds() throws Exception {
        print("Cannot open the database\n");
        reports.accept("exit 1");
        guestOutput.close();
        GuestException e = assertThrows(
                GuestException.class, () -> Health.await(new FakeGuest(console, reports), Optional.of(health()), LONG));
        assertTrue(e.getMessage().contains("ended with status 1"), e.getMessage());
        assertTrue(e.getMessage().contains("| Cannot open the database"), e.getMessage());
        assertEquals(0, requests.get());
    }

    @Test
    void failsWhenTheTimeIsUpWithTheLastAnswerAndTheConsole() throws Exception {
        statuses = new int[] {404};
        print("I have no such page\n");
        reports.accept("listening 8080");
        GuestException e;
        int seconds = 1;
        do {
            seconds *= 2;
            e = timeOut(Duration.ofSeconds(seconds));
        } while (!e.getMessage().contains(" answers ")); // the last request may be cut short
        String expected = "not ready after " + seconds + " s: " + health() + " answers 404";
        assertTrue(e.getMessage().contains(expected), e.getMessage());
        assertTrue(e.getMessage().endsWith("| I have no such page"), e.getMessage());
    }

    @Test
    void saysWhenTheProgramNeverListens() {
        GuestException e = timeOut(Duration.ofMillis(50));
        assertTrue(e.getMessage().contains("it does not listen on any port"), e.getMessage());
    }

    private GuestException timeOut(Duration limit) {
        return assertThrows(
                GuestException.class,
                () -> Health.await(new FakeGuest(console, reports), Optional.of(health()), limit));
    }

    private URI health() {
        return URI.create("http://localhost:" + server.getAddress().getPort() + "/health");
    }

    private void print(String text) throws IOException {
        guestOutput.print(text);
    }
}
