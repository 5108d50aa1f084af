// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.invoked;

import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The processes of guests, for the scripts of the invoker's projects: QEMU or xl, and the shells that end these with
 * Maven. A shell ends soon after its guest, not before the goal says that the guest has ended.
 */
public final class Machines {

    private static final long LIMIT_MINUTES = 10;

    private Machines() {}

    /**
     * The processes of this moment.
     *
     * @param text a part of their command lines, such as the path of the image
     */
    public static List<ProcessHandle> with(String text) {
        return ProcessHandle.allProcesses()
                .filter(process -> process.info().commandLine().orElse("").contains(text))
                .toList();
    }

    /**
     * Waits until there are none. Fails when one goes on for long.
     *
     * @param text a part of their command lines
     */
    public static void awaitNone(String text) throws InterruptedException, ExecutionException {
        for (List<ProcessHandle> left = with(text); !left.isEmpty(); left = with(text)) {
            ProcessHandle process = left.get(0);
            String line = process.info().commandLine().orElse("");
            try {
                process.onExit().get(LIMIT_MINUTES, TimeUnit.MINUTES);
            } catch (TimeoutException e) {
                throw new AssertionError("Process " + process.pid() + " is left: " + line, e);
            }
        }
    }
}
