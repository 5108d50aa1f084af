// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.run.FakeXen;
import io.github.javaunikernel.maven.run.XlDomain;
import io.github.javaunikernel.maven.settings.SettingException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Instances that are domains, from the first start to one that goes on from a snapshot. */
class XlMachinesTest {

    private static final Duration LONG = Duration.ofMinutes(5);

    @TempDir
    private Path scratch;

    private FakeXen host;
    private final List<String> log = Collections.synchronizedList(new ArrayList<>());
    private final List<String> asked = Collections.synchronizedList(new ArrayList<>());

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeXen(Files.createDirectory(scratch.resolve("host")));
    }

    private Path snapshot() {
        return scratch.resolve("hello.snapshot");
    }

    private GuestStarter starter(Readiness readiness) throws Exception {
        XlDomain domain = new XlDomain(host.image(), "hello", OptionalInt.empty());
        return new GuestStarter(
                new XlMachines(host.xl(), domain, List.of(8080, 9090), Optional.empty()),
                readiness,
                LONG,
                LONG,
                text -> {},
                Optional.of(new Snapshots(snapshot(), log::add)));
    }

    private Instance ready(GuestStarter starter, int number) throws Exception {
        Instance instance = starter.start(number);
        instance.awaitReady();
        return instance;
    }

    private long calls(String command) throws Exception {
        return host.calls().stream().filter(call -> call.startsWith(command)).count();
    }

    @Test
    void theSecondInstanceGoesOnFromASnapshotOfTheFirst() throws Exception {
        GuestStarter starter = starter((guest, url) -> asked.add(url));
        Instance first = ready(starter, 1);
        assertFalse(first.isRestored());
        assertEquals(
                List.of(new InetSocketAddress("127.0.0.1", 8080), new InetSocketAddress("127.0.0.1", 9090)),
                first.addresses());
        first.retire();
        first.awaitEnd();
        assertFalse(host.has("hello-1"));
        Path memory = snapshot().resolve("memory");
        assertEquals("memory of hello-1\n", Files.readString(memory));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(memory)));

        Instance second = ready(starter, 2);
        assertTrue(second.isRestored());
        assertTrue(host.config("hello-2").contains("name = \"hello-2\"\n"));
        second.retire();
        second.awaitEnd();
        assertEquals(1, calls("save "), "a restored one is not saved again");
        assertEquals(List.of("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"), asked);
        assertEquals(1, calls("create "));
        assertEquals(1, calls("restore -p CONFIG " + memory));
        assertEquals(2, calls("shutdown "));
        assertEquals(2, calls("destroy "));
    }

    @Test
    void anotherXenIsAColdStart() throws Exception {
        GuestStarter starter = starter((guest, url) -> {});
        Instance first = ready(starter, 1);
        first.retire();
        first.awaitEnd();
        Path description = snapshot().resolve("machine.json");
        Files.writeString(description, Files.readString(description).replace("Xen 4.17.5", "Xen 4.14.0"));
        Instance second = ready(starter, 2);
        assertFalse(second.isRestored());
        assertTrue(log.get(1).contains("since it was taken with Xen 4.14.0; the start is a cold one"), log.get(1));
        second.kill();
        second.awaitEnd();
    }

    @Test
    void aSnapshotThatCannotBeTakenIsNotThere() throws Exception {
        host.fill();
        Instance instance = ready(starter((guest, url) -> {}), 1);
        InstanceException e = assertThrows(InstanceException.class, instance::retire);
        assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
        instance.awaitEnd();
        assertFalse(Files.exists(snapshot()));
        assertFalse(host.has("hello-1"));
    }

    @Test
    void aSnapshotFromWhichNothingBecomesReadyIsDeleted() throws Exception {
        GuestStarter starter = starter((guest, url) -> {
            asked.add(url);
            if (asked.size() > 1) {
                throw new SettingException("healthPath", "It is not ready.", "Name another path.");
            }
        });
        Instance first = ready(starter, 1);
        first.retire();
        first.awaitEnd();
        Instance second = starter.start(2);
        assertThrows(InstanceException.class, second::awaitReady);
        second.kill();
        second.awaitEnd();
        assertFalse(Files.exists(snapshot()));
        assertFalse(host.has("hello-2"));
    }
}
