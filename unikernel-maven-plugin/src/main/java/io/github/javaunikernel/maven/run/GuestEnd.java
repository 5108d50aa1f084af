// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

/**
 * How a guest ended.
 *
 * @param machineStatus exit status of the program that ran the machine
 */
public record GuestEnd(Console console, Reports reports, int machineStatus) {

    /** SIGTERM (signal(7)): what a guest that is asked to end sends to its program. */
    private static final int SIGTERM = 15;
    /** What a JVM ends with after it. */
    private static final int TERMINATED = 128 + SIGTERM;
    /** QEMU's status after a panic (isa-debug-exit, guest-kernel/docs/native.md); XlGuest ends with it, too. */
    static final int PANIC = 33;

    /**
     * Throws unless the guest's program ended well.
     *
     * @param asked whether it was asked to end
     */
    public void check(boolean asked) throws GuestException {
        String problem = problem(asked);
        if (problem != null) {
            throw new GuestException(problem, console);
        }
    }

    private String problem(boolean asked) {
        if (machineStatus == PANIC) {
            return "The guest kernel panicked. See the last lines of its console:";
        }
        if (reports.signal().isPresent()) {
            // A JVM that has not come far yet just dies of it.
            int signal = reports.signal().getAsInt();
            return asked && signal == SIGTERM
                    ? null
                    : "The program in the guest was killed by signal " + signal
                            + ". See the last lines of its console:";
        }
        if (reports.status().isEmpty()) {
            return asked
                    ? "The guest was ended by force. The last lines of its console:"
                    : "The guest ended before its program did (status " + machineStatus
                            + "). The last lines of its console:";
        }
        int status = reports.status().getAsInt();
        return status == 0 || asked && status == TERMINATED
                ? null
                : "The program in the guest ended with status " + status + ". The last lines of its console:";
    }
}
