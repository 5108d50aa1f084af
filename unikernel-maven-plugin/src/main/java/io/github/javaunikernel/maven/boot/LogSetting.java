// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the log of the guest goes, as the value of the directive {@code log}.
 *
 * @param text {@code console}, the address of a syslog server, or both with a comma between them
 */
public record LogSetting(String text) {

    private static final String CONSOLE = "console";
    private static final Pattern SERVER = Pattern.compile("syslog(?:\\+tcp)?://([^:/\\s]*)(?::(\\d{1,5}))?");
    private static final int MAX_PORT = 65535;

    private static final String FORM = "Use 'console', 'syslog://logs.example.com:514' (UDP) or"
            + " 'syslog+tcp://10.0.0.5:514', or 'console' and one of the others with a comma between them.";

    /** Reads and checks the setting. */
    public static LogSetting parse(String setting) throws SettingException {
        List<String> words = List.of(setting.strip().split("\\s*,\\s*", -1)).stream()
                .distinct()
                .toList();
        List<String> servers =
                words.stream().filter(word -> !word.equals(CONSOLE)).toList();
        if (servers.size() > 1) {
            throw new SettingException("logTo", "The logTo setting names " + servers.size() + " servers.", FORM);
        }
        for (String server : servers) {
            checkServer(server);
        }
        return new LogSetting(String.join(",", words));
    }

    /** Whether the log leaves the machine over the network. */
    public boolean isSent() {
        return !text.equals(CONSOLE);
    }

    private static void checkServer(String word) throws SettingException {
        Matcher server = SERVER.matcher(word);
        if (!server.matches()) {
            throw new SettingException("logTo", "'" + word + "' in the logTo setting is not a place for a log.", FORM);
        }
        String host = server.group(1);
        if (!Host.isValid(host)) {
            throw new SettingException(
                    "logTo", "'" + host + "' in the logTo setting is neither a host name nor an IPv4 address.", FORM);
        }
        int port = server.group(2) == null ? 1 : Integer.parseInt(server.group(2));
        if (port < 1 || port > MAX_PORT) {
            throw new SettingException("logTo", "The port " + port + " in the logTo setting does not exist.", FORM);
        }
    }
}
