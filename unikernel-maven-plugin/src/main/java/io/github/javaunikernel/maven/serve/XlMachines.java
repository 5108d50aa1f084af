// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.run.Console;
import io.github.javaunikernel.maven.run.MachineIdentity;
import io.github.javaunikernel.maven.run.Xl;
import io.github.javaunikernel.maven.run.XlDomain;
import io.github.javaunikernel.maven.run.XlGuest;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Domains of the Xen host that this is, each with the domain's name and its number, on the host's bridge.
 *
 * @param domain whose name the others begin with
 * @param ports of the guest
 * @param fixed the address of each, or empty if a DHCP server gives it
 */
public record XlMachines(Xl xl, XlDomain domain, List<Integer> ports, Optional<String> fixed) implements Machines {

    @Override
    public MachineIdentity identity() throws IOException {
        return domain.identity(xl);
    }

    @Override
    public Machine boot(int number, boolean saved, Console console) throws IOException {
        return start(number, Optional.empty(), console);
    }

    @Override
    public Machine restore(int number, Path memory, Console console) throws IOException {
        return start(number, Optional.of(memory), console);
    }

    private Machine start(int number, Optional<Path> memory, Console console) throws IOException {
        XlDomain numbered = new XlDomain(domain.image(), domain.name() + "-" + number, domain.memory());
        return new InXen(XlGuest.start(xl, numbered, memory, console), ports, fixed);
    }

    private record InXen(XlGuest guest, List<Integer> ports, Optional<String> fixed) implements Machine {

        @Override
        public List<InetSocketAddress> addresses() {
            return fixed.or(() -> guest.reports().address().map(InetAddress::getHostAddress)).stream()
                    .flatMap(address -> ports.stream().map(port -> new InetSocketAddress(address, port)))
                    .toList();
        }

        /** Nothing comes from a domain that has ended, so what has come was sent by its kernel. */
        @Override
        public boolean responds() {
            return true;
        }

        @Override
        public void save(Path file) throws IOException {
            guest.save(file);
        }
    }
}
