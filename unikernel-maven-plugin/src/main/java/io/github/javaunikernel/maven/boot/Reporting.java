// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.SettingException;

/**
 * What the guest itself sends over the network, besides what the program sends.
 *
 * @param metricsPort TCP port on which the kernel serves metrics; 0 for none
 */
public record Reporting(LogSetting log, int metricsPort) {

    private static final int MAX_PORT = 65535;
    private static final String NEEDS_NETWORK = "Set network to 'dhcp' or an address, or ";

    /** Reads and checks the settings, which may need a network. */
    public static Reporting parse(String logTo, int metricsPort, NetworkSetting network) throws SettingException {
        LogSetting log = LogSetting.parse(logTo);
        if (metricsPort < 0 || metricsPort > MAX_PORT) {
            throw new SettingException(
                    "metricsPort",
                    metricsPort + " is not a port.",
                    "Give 1 to " + MAX_PORT + ", or 0 to serve no metrics.");
        }
        if (log.isSent() && !network.isPresent()) {
            throw new SettingException(
                    "logTo",
                    "The log cannot be sent to a server, since the network is 'none'.",
                    NEEDS_NETWORK + "logTo to 'console'.");
        }
        if (metricsPort != 0 && !network.isPresent()) {
            throw new SettingException(
                    "metricsPort",
                    "Nothing can read the metrics, since the network is 'none'.",
                    NEEDS_NETWORK + "metricsPort to 0.");
        }
        return new Reporting(log, metricsPort);
    }
}
