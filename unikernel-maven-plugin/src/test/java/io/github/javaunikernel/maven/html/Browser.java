// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.html;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Chromium without a window, for one page. A test that uses it is skipped where there is none. */
public final class Browser {

    private Browser() {}

    /** Debian's browser; other builds of it are named alike. */
    private static Path program() {
        Optional<Path> found = Stream.of(
                        Optional.ofNullable(System.getenv("PATH")).orElse("").split(":"))
                .map(directory -> Path.of(directory, "chromium"))
                .filter(Files::isExecutable)
                .findFirst();
        assumeTrue(found.isPresent(), "Skipped: there is no chromium on the PATH (Debian: package chromium)");
        return found.orElseThrow();
    }

    /** Loads a page, which has to succeed; returns what the browser prints, such as with {@code --dump-dom}. */
    public static String open(Path scratch, URI page, String... options) throws Exception {
        Path profile = Files.createTempDirectory(scratch, "profile");
        List<String> command = new ArrayList<>(List.of(
                program().toString(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--user-data-dir=" + profile));
        command.addAll(List.of(options));
        command.add(page.toString());
        Path errors = Files.createTempFile(scratch, "browser", ".log");
        Process browser =
                new ProcessBuilder(command).redirectError(errors.toFile()).start();
        browser.getOutputStream().close();
        String output = new String(browser.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = browser.waitFor();
        assertEquals(0, status, Files.readString(errors));
        return output;
    }
}
