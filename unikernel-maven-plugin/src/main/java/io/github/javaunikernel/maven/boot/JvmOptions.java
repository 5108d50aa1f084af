package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.ArrayList;
import java.util.List;

/**
 * The options the JVM gets before those of the user, chosen for a machine that runs nothing else. A later option wins
 * over an earlier one, so the user's win.
 */
public final class JvmOptions {

    /** Under this nothing useful of a JVM fits beside the kernel. */
    public static final int MIN_MEMORY = 32;
    /** What a kernel, a JVM without its heap and a small program need. */
    private static final int SMALL_MACHINE = 64;
    private static final int SMALL_HEAP = 16;
    private static final int MIN_HEAP = 8;
    /** However large the machine, so much suffices outside of the heap for most programs. */
    private static final int LARGEST_REST = 512;
    /** The JVM's own limit between a client and a server (os::is_server_class_machine): 1792 MiB and 2 CPUs. */
    private static final int SERVER_MEMORY = 1792;
    /** Up to here the optimising compiler's own memory would be missed elsewhere. */
    private static final int NO_OPTIMISING_COMPILER = 128;

    private JvmOptions() {
    }

    /**
     * The options for a machine.
     *
     * @param memory in MiB
     */
    public static List<String> forMachine(int memory, int vcpus) throws SettingException {
        if (memory < MIN_MEMORY) {
            throw new SettingException("memory", memory + " MiB are too little for a JVM.",
                    "Give " + MIN_MEMORY + " or more; 64 is the least for most programs.");
        }
        List<String> options = new ArrayList<>();
        options.add("-Xmx" + heap(memory) + "m");
        if (memory < SERVER_MEMORY || vcpus < 2) {
            options.add("-XX:+UseSerialGC");
        }
        if (memory <= NO_OPTIMISING_COMPILER) {
            options.add("-XX:TieredStopAtLevel=1");
        }
        // Nobody can attach to read the counters.
        options.add("-XX:-UsePerfData");
        // A server without memory is better started again than left half alive.
        options.add("-XX:+ExitOnOutOfMemoryError");
        // Nothing on disk outlives the guest, the console does.
        options.add("-XX:+ErrorFileToStderr");
        // The kernel speaks IPv4.
        options.add("-Djava.net.preferIPv4Stack=true");
        // As Java 18 and later have it anyway.
        options.add("-Dfile.encoding=UTF-8");
        return options;
    }

    /** The largest heap, in MiB, that leaves room for the kernel, classes, compiled code and threads. */
    static int heap(int memory) {
        if (memory < SMALL_MACHINE) {
            return Math.max(memory / 4, MIN_HEAP);
        }
        int share = SMALL_HEAP + (memory - SMALL_MACHINE) * 6 / 10;
        return Math.max(share, memory - LARGEST_REST);
    }
}
