// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.Health;
import io.github.javaunikernel.maven.run.StartedGuest;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A guest in a machine.
 *
 * @param startLimit how long it may take to get an address
 * @param stopLimit how long it may take to end in good order
 * @param lines of its console
 * @param origin empty where there are no snapshots
 */
record GuestInstance(
        Machine machine,
        Readiness readiness,
        Duration startLimit,
        Duration stopLimit,
        ConsoleLines lines,
        Optional<GuestStarter.Origin> origin)
        implements Instance {

    @Override
    public List<InetSocketAddress> addresses() {
        return machine.addresses();
    }

    @Override
    public void awaitReady() throws InstanceException, InterruptedException {
        try {
            if (addresses().isEmpty()) {
                Health.awaitAddress(machine.guest(), startLimit);
            }
            InetSocketAddress first = addresses().get(0);
            readiness.await(machine.guest(), "http://" + first.getHostString() + ":" + first.getPort() + "/");
        } catch (SettingException | GuestException e) {
            discardSnapshot();
            throw new InstanceException(e.getMessage(), e);
        }
    }

    /** The next start does not fail as this one did. */
    private void discardSnapshot() throws InstanceException {
        try {
            if (isRestored()) {
                origin.get().snapshots().discard("a machine that was restored from it did not become ready");
            }
        } catch (IOException e) {
            throw new InstanceException(FileTrouble.of(e).text(), e);
        }
    }

    @Override
    public boolean isRestored() {
        return origin.isPresent() && origin.get().restored();
    }

    @Override
    public String awaitEnd() throws InterruptedException {
        try {
            machine.guest().await().check(false);
            return "Its program ended by itself. If it is a server, see its console.";
        } catch (GuestException e) {
            return e.getMessage();
        } finally {
            lines.end();
        }
    }

    @Override
    public boolean responds() {
        return machine.responds();
    }

    @Override
    public void retire() throws InstanceException, InterruptedException {
        try {
            if (origin.isPresent() && !origin.get().restored()) {
                origin.get().snapshots().take(origin.get().machine(), machine::save);
            }
        } catch (IOException e) {
            kill();
            throw new InstanceException(
                    "No snapshot was taken. " + FileTrouble.of(e).text(), e);
        }
        stop();
    }

    @Override
    public void stop() throws InstanceException, InterruptedException {
        try {
            new StartedGuest(machine.guest()).stop(stopLimit);
        } catch (GuestException e) {
            throw new InstanceException(e.getMessage(), e);
        } catch (IOException e) {
            throw new InstanceException(FileTrouble.of(e).text(), e);
        }
    }

    @Override
    public void kill() throws InstanceException {
        try {
            machine.guest().kill();
        } catch (IOException e) {
            throw new InstanceException(FileTrouble.of(e).text(), e);
        }
    }
}
