// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

/**
 * The text of {@code /etc/unikernel.conf}, the one file that tells the guest kernel what to run: a directive and its
 * value on each line, {@code \n} and {@code \\} as escapes in values.
 */
public final class GuestConfig {

    private static final Pattern VARIABLE = Pattern.compile("[^=\\s\\p{Cntrl}]+");
    /** In bytes, what the kernel reads (guest-kernel, linux/configuration.c: FILE_LIMIT), less the end of the text. */
    private static final int MOST = (256 << 10) - 2;

    private static final Pattern HOST_NAME = Pattern.compile("[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?");

    private final StringBuilder text = new StringBuilder();

    /** Starts with the program to run. */
    public GuestConfig(String program) {
        line("exec", program);
    }

    /** Adds an argument. */
    public GuestConfig argument(String value) {
        line("arg", value);
        return this;
    }

    /** Adds a variable to the environment. */
    public GuestConfig variable(String name, String value) throws SettingException {
        if (!VARIABLE.matcher(name).matches()) {
            throw new SettingException(
                    "environment",
                    "'" + name + "' cannot be the name of a variable.",
                    "Use a name without '=', white space and control characters.");
        }
        line("env", name + "=" + value);
        return this;
    }

    /** Sets the working directory. */
    public GuestConfig directory(String path) {
        line("cwd", path);
        return this;
    }

    /** Sets the host name (RFC 1123: letters, digits and inner hyphens, up to 63). */
    public GuestConfig hostName(String name) throws SettingException {
        if (!HOST_NAME.matcher(name).matches()) {
            throw new SettingException(
                    "hostname",
                    "'" + name + "' cannot be a host name.",
                    "Use 1 to 63 letters, digits and hyphens, with a letter or digit at both ends.");
        }
        line("hostname", name);
        return this;
    }

    /** Sets the network. */
    public GuestConfig network(NetworkSetting network) {
        line("network", network.text());
        return this;
    }

    /** Sets where the time comes from. */
    public GuestConfig time(TimeSetting time) {
        line("time", time.text());
        return this;
    }

    /**
     * Sets where the log goes, and whether there are metrics.
     *
     * @param application whose log it is, in what is sent
     */
    public GuestConfig reporting(Reporting reporting, String application) {
        if (reporting.log().isSent()) {
            line("application", application);
            line("log", reporting.log().text());
        }
        if (reporting.metricsPort() != 0) {
            line("metrics", Integer.toString(reporting.metricsPort()));
        }
        return this;
    }

    /** Adds a file system in memory. */
    public GuestConfig memoryFileSystem(MemoryFileSystem fileSystem) {
        line("tmpfs", fileSystem.text());
        return this;
    }

    /** Mounts a scratch disk. */
    public GuestConfig scratch(ScratchDisk disk) {
        line("scratch", disk.path());
        return this;
    }

    /** Mounts a data disk. */
    public GuestConfig dataDisk(DataDisk disk) {
        line("data", disk.text());
        return this;
    }

    /** Makes a directory writable that has files of the image in it. */
    public GuestConfig writable(String path) {
        line("writable", path);
        return this;
    }

    /** Names the variables and switches that may come from outside. */
    public GuestConfig instanceEnvironment(InstanceEnvironment environment) {
        environment.allowed().forEach(pattern -> line("allow", pattern));
        if (!environment.diagnostics().isEmpty()) {
            line("diagnostics", String.join(" ", environment.diagnostics()));
        }
        if (!environment.sources().isEmpty()) {
            line("sources", String.join(" ", environment.sources()));
        }
        return this;
    }

    /**
     * Closes the instance metadata service to the program; the kernel itself may still read user data from it at boot.
     */
    public GuestConfig noInstanceMetadata() {
        line("instance-metadata", "no");
        return this;
    }

    /** Refuses a text that the kernel would not read as a whole. */
    public GuestConfig checkSize() throws SettingException {
        int bytes = text().getBytes(StandardCharsets.UTF_8).length;
        if (bytes > MOST) {
            throw new SettingException(
                    "arguments",
                    "The arguments, options and variables of the program make a configuration of " + bytes
                            + " bytes, and the kernel reads " + MOST + ".",
                    "Put long texts into files of src/main/unikernel, and let the program read those.");
        }
        return this;
    }

    /** The whole text. */
    public String text() {
        return text.toString();
    }

    private void line(String directive, String value) {
        text.append(directive)
                .append(' ')
                .append(value.replace("\\", "\\\\").replace("\n", "\\n"))
                .append('\n');
    }
}
