// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Unpacks one file into one directory, and explains what goes wrong meanwhile. */
interface Unpacking {

    /** Writes the content; the directory is there. */
    void write() throws SettingException, IOException;

    /**
     * Makes the directory and has its content written.
     *
     * @param parameter that names the file, for messages
     * @param repair what to do with a damaged file: words that a message goes on with
     */
    static void run(String parameter, Path file, Path directory, String repair, Unpacking content)
            throws SettingException, IOException {
        Files.createDirectories(directory);
        try {
            content.write();
        } catch (ExplainedException e) {
            throw e;
        } catch (IOException e) {
            throw new SettingException(
                    parameter,
                    file + " cannot be unpacked into " + directory + ": " + FileTrouble.reason(e) + ".",
                    "Make sure that there is room for it, and " + repair + " if it is damaged.",
                    e);
        }
    }
}
