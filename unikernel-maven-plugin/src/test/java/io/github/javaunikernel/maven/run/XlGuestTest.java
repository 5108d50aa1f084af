// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.PrivateFiles;
import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class XlGuestTest {

    private static final Duration LONG = Duration.ofMinutes(5);

    @TempDir
    private Path directory;

    private FakeXen host;

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeXen(directory);
    }

    private XlGuest start(Console console) throws Exception {
        XlDomain domain = new XlDomain(host.image(), "shop", OptionalInt.of(96));
        return XlGuest.start(host.xl(), domain, Optional.empty(), console);
    }

    @Test
    void needsXl() {
        SettingException e = assertThrows(SettingException.class, () -> new Xl("/nowhere").require("run.with"));
        assertEquals(
                "There is no xl on the PATH. [parameter run.with, -Dunikernel.run.with]"
                        + " Run on a Xen host, as root, or leave the parameter out to use QEMU.",
                e.getMessage());
        assertEquals("run.with", e.parameter());
    }

    @Test
    void runsADomainToItsEnd() throws Exception {
        XlGuest guest = start(new Console(text -> {}));
        assertEquals("/127.0.0.1", Health.awaitAddress(guest, LONG).toString());
        Health.await(guest, Optional.empty(), LONG);
        assertEquals("""
                name = "hello"
                memory = 64
                memory = 96
                name = "shop"
                on_poweroff = "preserve"
                on_reboot = "preserve"
                on_crash = "preserve"
                """, host.config("shop"));
        guest.shutDown();
        guest.await().check(true);
        assertTrue(
                guest.console().lastLines().contains("Here is shop"),
                guest.console().lastLines());
        assertEquals(
                List.of("create -p CONFIG", "unpause shop", "console shop", "shutdown shop", "destroy shop").stream()
                        .sorted()
                        .toList(),
                host.calls().stream().sorted().toList());
        guest.kill();
        assertEquals(5, host.calls().size(), "there is nothing left to be destroyed");
    }

    @Test
    void saysWhyThereIsNoDomain() throws Exception {
        host.refuse();
        XlGuest guest = start(new Console(text -> {}));
        GuestException e = assertThrows(GuestException.class, () -> Health.awaitAddress(guest, LONG));
        assertTrue(e.getMessage().contains("| not enough free memory"), e.getMessage());
    }

    /** A terminal interrupts the group of this JVM, not a domain that is being saved or shut down. */
    @Test
    void ctrlCReachesNoXl() throws Exception {
        XlGuest guest = start(new Console(text -> {}));
        Health.await(guest, Optional.empty(), LONG);
        Path memory = directory.resolve("memory");
        PrivateFiles.create(memory).close();
        guest.save(memory);
        guest.shutDown();
        guest.await().check(true);
        String own = Files.readString(Path.of("/proc/self/stat")).split(" ")[4];
        assertFalse(host.groups().contains(own), () -> own + " is among the groups of xl");
    }

    @Test
    void isDestroyedByForce() throws Exception {
        XlGuest guest = start(new Console(text -> {}));
        Health.await(guest, Optional.empty(), LONG);
        guest.kill();
        GuestException e =
                assertThrows(GuestException.class, () -> guest.await().check(true));
        assertTrue(e.getMessage().startsWith("The guest was ended by force."), e.getMessage());
        assertFalse(host.has("shop"));
    }
}
