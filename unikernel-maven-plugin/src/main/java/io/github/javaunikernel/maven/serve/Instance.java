// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import java.net.InetSocketAddress;
import java.util.List;

/** A machine that was started for the front door. Several threads may use it at the same time, and each may wait. */
public interface Instance {

    /** Where its program listens, in the order of the front door's ports. */
    List<InetSocketAddress> addresses();

    /** Waits until its program is ready; fails when that takes too long or the instance ends. */
    void awaitReady() throws InstanceException, InterruptedException;

    /** Waits until nothing is left of it; returns how it ended, in sentences. */
    String awaitEnd() throws InterruptedException;

    /**
     * Asks whether it still runs. If it does, a connection that ended before the question was ended by its program, not
     * by the end of the machine.
     */
    boolean responds();

    /** Whether it goes on from a snapshot. */
    boolean isRestored();

    /** Ends it in good order after it has answered and become idle, as {@link #stop}; it may leave a snapshot. */
    void retire() throws InstanceException, InterruptedException;

    /** Ends it in good order; by force, and fails, when that takes too long. */
    void stop() throws InstanceException, InterruptedException;

    /** Ends it by force. */
    void kill() throws InstanceException;
}
