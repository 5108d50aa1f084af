// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.Charset;

/**
 * A program that runs another one, and kills it when standard input ends. It is for systems without a shell of Unix,
 * and uses nothing but the JDK, so that the plugin's jar alone runs it.
 */
public final class Supervisor {

    /** What shells end with when a program cannot be run. */
    private static final int CANNOT_RUN = 127;

    private Supervisor() {}

    /**
     * Ends with the status of the program, on whose standard input nothing ever comes.
     *
     * @param command the program and its arguments
     */
    public static void main(String[] command) throws InterruptedException {
        Runtime.getRuntime().halt(run(command));
    }

    private static int run(String[] command) throws InterruptedException {
        Process program;
        try {
            program = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                    .start();
        } catch (IOException e) {
            new PrintStream(new FileOutputStream(FileDescriptor.out), true, Charset.defaultCharset())
                    .println(e.getMessage());
            return CANNOT_RUN;
        }
        Thread lifeline = new Thread(() -> killAtTheEnd(program), "lifeline");
        lifeline.setDaemon(true);
        lifeline.start();
        return program.waitFor();
    }

    private static void killAtTheEnd(Process program) {
        try {
            System.in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            // Where nothing can be read any more, the other end has gone as well.
            program.destroyForcibly();
        }
        program.destroyForcibly();
    }
}
