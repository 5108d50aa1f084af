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

/**
 * A guest in QEMU.
 *
 * @param stopLimit how long it may take to end in good order
 * @param lines of its console
 */
record QemuInstance(QemuBoot boot, QemuStarter.Readiness readiness, Duration stopLimit, ConsoleLines lines)
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
            throw new InstanceException(e.getMessage(), e);
        }
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
    public void kill() throws InstanceException {
        try {
            boot.guest().kill();
        } catch (IOException e) {
            throw new InstanceException(FileTrouble.of(e).text(), e);
        }
    }
}
