// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

/** Where progress is reported. Implementations are thread-safe. */
public interface CloudLog {
    void info(String line);

    void warn(String line);

    void debug(String line);
}
