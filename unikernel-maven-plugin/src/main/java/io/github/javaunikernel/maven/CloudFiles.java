// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonSyntaxException;
import io.github.javaunikernel.maven.aws.AmiResult;
import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The files beside the image in which the goals on EC2 pass information to each other. */
final class CloudFiles {
    private CloudFiles() {}

    /** {@code NAME.ami.json}: what was registered, by region. */
    static Path amiReport(Path image) {
        return sibling(image, ".ami.json");
    }

    /** {@code NAME.launch.json}: what a launch created. */
    static Path launchRecord(Path image) {
        return sibling(image, ".launch.json");
    }

    private static Path sibling(Path image, String extension) {
        return image.resolveSibling(baseName(image) + extension);
    }

    static String baseName(Path image) {
        return image.getFileName().toString().replaceFirst("\\.img$", "");
    }

    static void writeReport(Path file, List<AmiResult> results) throws CloudException {
        try {
            String json = new GsonBuilder()
                    .setPrettyPrinting()
                    .disableHtmlEscaping()
                    .create()
                    .toJson(results);
            WholeFile.write(file, part -> Files.writeString(part, json + "\n", StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new CloudException(
                    Reason.RECORD,
                    null,
                    "The images are registered, but their report " + file + " cannot be written.",
                    "Make room there, and the directory writable, and run the goal again; it will find the images.",
                    e);
        }
    }

    /** What the last deploy registered; empty if there was none. */
    static List<AmiResult> readReport(Path file) throws CloudException {
        if (!Files.exists(file)) {
            return List.of();
        }
        try {
            AmiResult[] results =
                    new Gson().fromJson(Files.readString(file, StandardCharsets.UTF_8), AmiResult[].class);
            return results == null ? List.of() : List.of(results);
        } catch (IOException | JsonSyntaxException e) {
            throw new CloudException(
                    Reason.RECORD,
                    null,
                    "The report of the last deploy " + file + " is damaged or cannot be read.",
                    "Delete it and run unikernel:ami again.",
                    e);
        }
    }
}
