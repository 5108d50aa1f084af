// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.serve;

import java.util.List;

/**
 * The front door at one moment, as its status page shows it and {@code status.json} names it.
 *
 * @param ports on which it listens
 * @param state {@code serving} or {@code draining}
 * @param waiting connections that have no instance yet
 * @param connections accepted since the beginning
 * @param rejected connections that were closed because no instance could be started
 * @param starts of instances since the beginning
 * @param failures instances that did not end when they were to end
 * @param instances that are there
 * @param ended the last ones that have ended, the newest first
 */
public record Status(
        List<Integer> ports,
        String state,
        int waiting,
        long connections,
        long rejected,
        int starts,
        int failures,
        int min,
        int max,
        long idleSeconds,
        List<Machine> instances,
        List<Machine> ended) {

    /**
     * One instance.
     *
     * @param state {@code starting}, {@code ready}, {@code stopping} or {@code ended}
     * @param addresses of this machine that lead to its ports
     * @param connections now
     * @param connectionsInAll since its start
     * @param started in ISO 8601
     * @param start {@code cold} or {@code restored} from a snapshot; null before there is a machine
     * @param secondsToReady from the start; null before
     * @param secondsToFirstAnswer from the start to the first byte for a client; null before
     * @param end how it ended; null before
     */
    public record Machine(
            int number,
            String state,
            List<String> addresses,
            int connections,
            long connectionsInAll,
            String started,
            String start,
            Double secondsToReady,
            Double secondsToFirstAnswer,
            String end) {}
}
