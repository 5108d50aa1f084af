// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** A raw image file and what its blocks hold. Immutable; the file must not change while it is in use. */
record DiskImage(Path file, BlockMap blocks) {
    /** Where a BIOS looks for the signature of a boot sector, and the signature. */
    private static final int SIGNATURE_AT = 510;

    private static final byte[] SIGNATURE = {0x55, (byte) 0xAA};

    /** Where a disk has its GUID partition table, and how that begins (UEFI specification 2.10, 5.3.2). */
    private static final int TABLE_AT = 512;

    private static final byte[] TABLE = "EFI PART".getBytes(StandardCharsets.US_ASCII);

    static DiskImage read(Path file) throws CloudException {
        return new DiskImage(file, BlockMap.of(file));
    }

    /** Whether the image has a GUID partition table: such a one is booted by UEFI and by nothing else. */
    boolean isForUefi() throws CloudException {
        return has(file, TABLE_AT, TABLE);
    }

    /** @throws CloudException when PV-GRUB would not find the file system, which must begin where the image begins */
    static void requireForPvGrub(Path file, CloudSetting setting) throws CloudException {
        if (has(file, TABLE_AT, TABLE)) {
            throw new CloudException(
                    setting,
                    "The image " + file + " was made for UEFI, and paravirtual machines do not boot it.",
                    "Make it without -Dunikernel.firmware=uefi, or deploy it as hvm alone.");
        }
    }

    /** @throws CloudException when neither a BIOS nor UEFI would boot the image */
    void requireBootSector() throws CloudException {
        if (has(file, SIGNATURE_AT, SIGNATURE)) {
            return;
        }
        throw new CloudException(
                CloudSetting.VIRTUALIZATION,
                "The image " + file + " has no boot sector, which an hvm machine boots from.",
                "Build it again with a version of the plugin that writes one, or make it paravirtual alone.");
    }

    private static boolean has(Path file, int offset, byte[] bytes) throws CloudException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.skip(offset) == offset && Arrays.equals(in.readNBytes(bytes.length), bytes);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
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
