// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;
import java.util.List;

/**
 * What the guest's wall clock follows, as the value of the directive {@code time}.
 *
 * @param text {@code auto}, {@code none} or host names and addresses with commas between them
 */
public record TimeSetting(String text) {

    /** The kernel's limit: SNTP_SERVERS in net/sntp.h. */
    private static final int MAX_SERVERS = 4;

    private static final String FORM = "Use 'auto', 'none' or up to " + MAX_SERVERS
            + " servers such as '169.254.169.123' or 'ntp.example.com,10.0.0.8'.";

    /** Reads and checks the setting. */
    public static TimeSetting parse(String setting) throws SettingException {
        String text = setting.strip();
        if (text.equals("auto") || text.equals("none")) {
            return new TimeSetting(text);
        }
        List<String> servers = List.of(text.split("\\s*,\\s*", -1));
        if (servers.size() > MAX_SERVERS) {
            throw new SettingException("time", "The time setting names " + servers.size() + " servers.", FORM);
        }
        for (String server : servers) {
            if (!Host.isValid(server)) {
                throw new SettingException(
                        "time",
                        "'" + server + "' in the time setting is neither a host name nor an IPv4 address.",
                        FORM);
            }
        }
        return new TimeSetting(String.join(",", servers));
    }
}
