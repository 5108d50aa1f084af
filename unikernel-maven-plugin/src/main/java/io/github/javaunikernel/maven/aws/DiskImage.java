// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A raw image file and what its blocks hold. Immutable; the file must not change while it is in use. */
record DiskImage(Path file, BlockMap blocks) {
    /** Where a BIOS looks for the signature of a boot sector, and the signature. */
    private static final int SIGNATURE_AT = 510;

    private static final byte[] SIGNATURE = {0x55, (byte) 0xAA};

    static DiskImage read(Path file) throws CloudException {
        return new DiskImage(file, BlockMap.of(file));
    }

    /** @throws CloudException when no BIOS would boot the image */
    void requireBootSector() throws CloudException {
        try (InputStream in = Files.newInputStream(file)) {
            in.skipNBytes(SIGNATURE_AT);
            if (Arrays.equals(in.readNBytes(SIGNATURE.length), SIGNATURE)) {
                return;
            }
        } catch (IOException e) {
            throw unreadable(e);
        }
        throw new CloudException(
                CloudSetting.VIRTUALIZATION,
                "The image " + file + " has no boot sector, which an hvm machine boots from.",
                "Build it again with a version of the plugin that writes one, or make it paravirtual alone.");
    }

    CloudException unreadable(IOException failure) {
        return unreadable(file, failure);
    }

    static CloudException unreadable(Path file, IOException failure) {
        return new CloudException(
                Reason.IMAGE,
                "The image " + file + " cannot be read: " + FileTrouble.cause(file, failure) + ".",
                failure);
    }
}
