// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonSyntaxException;
import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.WholeFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a launch created. It is on disk from the first resource on, so that everything can be deleted again.
 *
 * @param createdGroupId security group to be deleted with the instances; null when groups were given
 * @param instances none until they are started
 */
public record LaunchRecord(
        String region, String imageId, String createdGroupId, String instanceType, List<Launched> instances) {
    /**
     * An instance.
     *
     * @param url null until the address is known
     */
    public record Launched(String instanceId, String url) {}

    void save(Path file) throws CloudException {
        try {
            Files.createDirectories(file.getParent());
            String text = new GsonBuilder()
                            .setPrettyPrinting()
                            .disableHtmlEscaping()
                            .create()
                            .toJson(this) + "\n";
            WholeFile.write(file, part -> Files.writeString(part, text, StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new CloudException(
                    Reason.RECORD,
                    null,
                    "The record of the launch " + file + " cannot be written: " + FileTrouble.cause(file, e) + ".",
                    "Make the directory writable.",
                    e);
        }
    }

    /** Empty when nothing was launched. */
    public static Optional<LaunchRecord> load(Path file) throws CloudException {
        try {
            LaunchRecord record =
                    new Gson().fromJson(Files.readString(file, StandardCharsets.UTF_8), LaunchRecord.class);
            if (record == null || record.region == null || record.instances == null) {
                throw damaged(file, null);
            }
            return Optional.of(record);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (JsonSyntaxException e) {
            throw damaged(file, e);
        } catch (IOException e) {
            throw new CloudException(
                    Reason.RECORD,
                    null,
                    "The record of the last launch " + file + " cannot be read: " + FileTrouble.cause(file, e) + ".",
                    "Make it readable.",
                    e);
        }
    }

    private static CloudException damaged(Path file, Exception cause) {
        return new CloudException(
                Reason.RECORD,
                CloudSetting.INSTANCE,
                file + " is not the record of a launch that this version wrote.",
                "Terminate what mvn unikernel:list shows by naming it, and delete the file.",
                cause);
    }
}
