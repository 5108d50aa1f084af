// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import io.github.javaunikernel.maven.run.Guest;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;

/** A machine that was started, whatever makes it. Several threads may use it at the same time. */
public interface Machine {

    /** What runs in it. */
    Guest guest();

    /** Where its program listens, in the order of the front door's ports; empty as long as that is not known. */
    List<InetSocketAddress> addresses();

    /**
     * Whether its program's connections can be distinguished from those that the end of the machine has closed: false
     * if the machine has ended by the time of the question.
     */
    boolean responds();

    /** Writes all that it is into a file that is there already; it stops meanwhile and goes on afterwards. */
    void save(Path file) throws IOException;
}
