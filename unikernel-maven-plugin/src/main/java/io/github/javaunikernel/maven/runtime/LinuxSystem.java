// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A Linux system on x86-64 from which an image can take native libraries, the locale and fonts.
 *
 * @param name for people to read
 */
public record LinuxSystem(String name, Source source) {

    /** Where its files are. */
    @FunctionalInterface
    public interface Source {
        /** The root directory; may download and unpack the system first. */
        Path root() throws SettingException, IOException;
    }
}
