// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import java.util.ArrayList;
import java.util.List;

/**
 * Connections of one instance whose end has come from it. The system closes the connections of a killed machine as a
 * program would, so the machine is asked whether it still runs: once for all connections that had ended by then.
 */
final class Doubts {

    private final InstanceThreads threads;
    private List<Connection> waiting = new ArrayList<>();
    private boolean asking;

    Doubts(InstanceThreads threads) {
        this.threads = threads;
    }

    void add(Instance instance, Connection connection) {
        waiting.add(connection);
        if (!asking) {
            ask(instance);
        }
    }

    private void ask(Instance instance) {
        List<Connection> asked = waiting;
        waiting = new ArrayList<>();
        asking = true;
        threads.ask(instance, responds -> {
            asking = false;
            asked.forEach(responds ? Connection::allowEnd : Connection::reset);
            if (!waiting.isEmpty()) {
                ask(instance);
            }
        });
    }
}
