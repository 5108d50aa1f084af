package io.github.javaunikernel.maven.run;

/**
 * How a guest ended.
 *
 * @param machineStatus exit status of the program that ran the machine
 */
public record GuestEnd(Console console, int machineStatus) {

    /** What a JVM ends with after SIGTERM, 128 + 15. */
    private static final int TERMINATED = 143;
    /** What QEMU's isa-debug-exit makes of the value that a panic writes (guest-kernel/docs/pvh.md). */
    private static final int PANIC = 33;

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
            return "The guest kernel panicked. The last lines of its console say why:";
        }
        if (console.signal().isPresent()) {
            return "The program in the guest was killed by signal " + console.signal().getAsInt()
                    + ". The last lines of its console say why:";
        }
        if (console.status().isEmpty()) {
            return asked ? "The guest was ended by force. The last lines of its console:"
                    : "The guest ended without the end of its program (status " + machineStatus + "). The last lines of its console:";
        }
        int status = console.status().getAsInt();
        return status == 0 || asked && status == TERMINATED ? null
                : "The program in the guest ended with status " + status + ". The last lines of its console:";
    }
}
