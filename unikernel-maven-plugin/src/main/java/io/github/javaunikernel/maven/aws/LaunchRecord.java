// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonSyntaxException;
import com.google.gson.Gson;
import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What a launch created, on disk from the first thing on, so that it can be taken down again.
 *
 * @param createdGroupId security group to be deleted with the instance; null when groups were given
 * @param instanceId     null until it is started
 * @param url            null until the address is known
 */
public record LaunchRecord(String region, String imageId, String createdGroupId, String instanceId, String instanceType, String url) {
    void save(Path file) throws CloudException {
        try {
            Files.createDirectories(file.getParent());
            Files.writeString(file, new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().create().toJson(this) + "\n", StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new CloudException(Reason.SETTING, "Cannot write " + file + ": " + e.getMessage() + ".", e);
        }
    }

    /** Empty when nothing was launched. */
    public static Optional<LaunchRecord> load(Path file) throws CloudException {
        try {
            return Optional.ofNullable(new Gson().fromJson(Files.readString(file, StandardCharsets.UTF_8), LaunchRecord.class));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | JsonSyntaxException e) {
            throw new CloudException(Reason.SETTING, "Cannot read " + file + ": " + e.getMessage() + ".", e);
        }
    }
}
