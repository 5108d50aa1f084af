package io.github.javaunikernel.maven.run;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Pattern;

/** A guest of the Xen host that this is. It ends with this JVM at the latest. */
public final class XlGuest implements Guest {

    /** A line says that the domain has ended by itself; the end of the lifeline without one, that this JVM has. */
    private static final String LIFELINE = "read -r ended <&3 || xl destroy '%s' >&2";

    private final String domain;
    private final Process process;
    private final Console console;

    private XlGuest(String domain, Process process, Console console) {
        this.domain = domain;
        this.process = process;
        this.console = console;
        console.follow(process.getInputStream());
        console.ended().whenComplete((nothing, problem) -> endLifeline());
    }

    /**
     * Creates the domain that the image's configuration describes.
     *
     * @param memory in MiB, or empty for that of the configuration
     */
    public static XlGuest start(BuiltImage image, OptionalInt memory, String searchPath, Console console)
            throws IOException, SettingException {
        if (Arrays.stream(searchPath.split(Pattern.quote(File.pathSeparator)))
                .noneMatch(directory -> Files.isExecutable(Path.of(directory, "xl")))) {
            throw new SettingException("run.with", "There is no xl on the PATH.",
                    "Run on a Xen host, as root, or leave the parameter out to use QEMU.");
        }
        List<String> words = new ArrayList<>(List.of("xl", "create", "-c", image.xenConfig().toString()));
        memory.ifPresent(mebibytes -> words.add("memory=" + mebibytes));
        Process process = Supervised.start(words, String.format(LIFELINE, image.name()), true);
        return new XlGuest(image.name(), process, console);
    }

    @Override
    public Console console() {
        return console;
    }

    @Override
    public void shutDown() throws IOException {
        xl("shutdown");
    }

    @Override
    public void kill() throws IOException {
        xl("destroy");
    }

    @Override
    public GuestEnd await() throws InterruptedException {
        int status = process.waitFor();
        console.ended().exceptionally(problem -> null).join();
        return new GuestEnd(console, status);
    }

    private void xl(String command) throws IOException {
        Process xl = new ProcessBuilder("xl", command, domain).redirectErrorStream(true).start();
        xl.getOutputStream().close();
        String output = new String(xl.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        try {
            if (xl.waitFor() != 0) {
                throw new IOException("xl " + command + " " + domain + " failed: " + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void endLifeline() {
        try {
            process.getOutputStream().write('\n');
            process.getOutputStream().close();
        } catch (IOException e) {
            // The shell behind the lifeline has ended before, so there is nothing left to tell it.
            process.destroy();
        }
    }
}
