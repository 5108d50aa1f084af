// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.inspect;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.github.javaunikernel.maven.image.ImageEntry;

/** One node of an image in JSON, with the names that the manifest of an image uses. */
record Shown(String path, String type, String mode, long size, String sha256, String target) {

    static final Gson GSON =
            new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create();

    /** Null for nothing. */
    static Shown of(ImageEntry entry) {
        return entry == null
                ? null
                : new Shown(
                        entry.path(),
                        entry.type(),
                        String.format("%04o", entry.permissions()),
                        entry.size(),
                        entry.sha256(),
                        entry.target());
    }
}
