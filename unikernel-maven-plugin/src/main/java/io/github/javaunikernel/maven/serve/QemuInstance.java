// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.run.GuestException;
import io.github.javaunikernel.maven.run.QemuBoot;
import io.github.javaunikernel.maven.run.StartedGuest;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A guest in QEMU.
 *
 * @param stopLimit how long it may take to end in good order
 * @param lines of its console
 * @param origin empty where there are no snapshots
 */
record QemuInstance(
        QemuBoot boot,
        QemuStarter.Readiness readiness,
        Duration stopLimit,
        ConsoleLines lines,
        Optional<QemuStarter.Origin> origin)
        implements Instance {

    @Override
    public List<InetSocketAddress> addresses() {
        return boot.ports().stream()
                .map(port -> new InetSocketAddress("127.0.0.1", port.host()))
                .toList();
    }

    @Override
    public void awaitReady() throws InstanceException, InterruptedException {
        try {
            readiness.await(boot.guest(), boot.ports());
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
            boot.guest().await().check(false);
            return "Its program ended by itself. If it is a server, see its console.";
        } catch (GuestException e) {
            return e.getMessage();
        } finally {
            lines.end();
        }
    }

    @Override
    public boolean responds() {
        return boot.guest().responds();
    }

    @Override
    public void retire() throws InstanceException, InterruptedException {
        try {
            if (origin.isPresent() && !origin.get().restored()) {
                origin.get().snapshots().take(origin.get().machine(), boot.guest()::save);
                boot.guest().resume();
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
            new StartedGuest(boot.guest()).stop(stopLimit);
        } catch (GuestException e) {
            throw new InstanceException(e.getMessage(), e);
        } catch (IOException e) {
            throw new InstanceException(FileTrouble.of(e).text(), e);
        }
    }

    @Override
    public void kill() {
        boot.guest().kill();
    }
}
