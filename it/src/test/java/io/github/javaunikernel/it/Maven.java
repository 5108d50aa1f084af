// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.maven.shared.invoker.DefaultInvocationRequest;
import org.apache.maven.shared.invoker.DefaultInvoker;
import org.apache.maven.shared.invoker.InvocationRequest;
import org.apache.maven.shared.invoker.InvocationResult;
import org.apache.maven.shared.invoker.MavenInvocationException;

/** Builds of other projects by the Maven of this one, with its repository. */
final class Maven {

    private static final long PATIENCE_MINUTES = 240;

    private Maven() {}

    /** How a build ended, and what it printed. */
    private record End(int status, String text) {}

    /** Runs a build that has to succeed; what it printed. */
    static String run(Path directory, Map<String, String> environment, String... arguments) throws IOException {
        End end = build(directory, environment, arguments);
        if (end.status() != 0) {
            throw new AssertionError("Maven ended with status " + end.status() + ":\n" + end.text());
        }
        return end.text();
    }

    /** Runs a build that has to fail; what it printed. */
    static String fail(Path directory, String... arguments) throws IOException {
        End end = build(directory, Map.of(), arguments);
        if (end.status() == 0) {
            throw new AssertionError("Maven succeeded:\n" + end.text());
        }
        return end.text();
    }

    private static End build(Path directory, Map<String, String> environment, String... arguments) throws IOException {
        StringBuilder text = new StringBuilder();
        InvocationRequest request = request(directory, environment, arguments)
                .setOutputHandler(line -> append(text, line))
                .setErrorHandler(line -> append(text, line));
        try {
            InvocationResult result = new DefaultInvoker().execute(request);
            if (result.getExecutionException() != null) {
                throw new IOException("Maven did not end well: " + text, result.getExecutionException());
            }
            return new End(result.getExitCode(), text.toString());
        } catch (MavenInvocationException e) {
            throw new IOException("Maven cannot be started in " + directory, e);
        }
    }

    /** Two threads read what Maven prints. */
    private static void append(StringBuilder text, String line) {
        synchronized (text) {
            text.append(line).append('\n');
        }
    }

    /** Nothing of the builder's own account gets into the build. */
    private static InvocationRequest request(Path directory, Map<String, String> environment, String... arguments) {
        InvocationRequest request = new DefaultInvocationRequest()
                .setMavenHome(new File(System.getProperty("lab.maven")))
                .setBaseDirectory(directory.toFile())
                .setLocalRepositoryDirectory(new File(System.getProperty("lab.repository")))
                .setBatchMode(true)
                .setNoTransferProgress(true)
                .setShellEnvironmentInherited(false)
                .addArg("-Dstyle.color=never")
                .addArgs(List.of(arguments));
        request.setTimeoutInSeconds((int) TimeUnit.MINUTES.toSeconds(PATIENCE_MINUTES));
        System.getenv().forEach((name, value) -> {
            if (!name.startsWith("AWS_")) {
                request.addShellEnvironment(name, value);
            }
        });
        environment.forEach(request::addShellEnvironment);
        return request;
    }
}
