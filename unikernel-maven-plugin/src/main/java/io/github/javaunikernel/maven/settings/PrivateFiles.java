// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.settings;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.AclEntry;
import java.nio.file.attribute.AclEntryFlag;
import java.nio.file.attribute.AclEntryPermission;
import java.nio.file.attribute.AclEntryType;
import java.nio.file.attribute.AclFileAttributeView;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Directories and files that only this user can read, whatever the system calls permissions. */
public final class PrivateFiles {

    private PrivateFiles() {}

    /** Makes a directory, which must not be there yet. Nobody can ever look at what comes into it. */
    public static void createDirectory(Path directory) throws IOException {
        if (hasModes(directory)) {
            Files.createDirectory(directory, mode("rwx------"));
            return;
        }
        Files.createDirectory(directory);
        AclFileAttributeView permissions = Files.getFileAttributeView(directory, AclFileAttributeView.class);
        if (permissions == null) {
            throw new ExplainedException(directory + " is on a disk without permissions. Build on another disk,"
                    + " such as one with NTFS.");
        }
        permissions.setAcl(List.of(AclEntry.newBuilder()
                .setType(AclEntryType.ALLOW)
                .setPrincipal(permissions.getOwner())
                .setPermissions(EnumSet.allOf(AclEntryPermission.class))
                .setFlags(AclEntryFlag.FILE_INHERIT, AclEntryFlag.DIRECTORY_INHERIT)
                .build()));
    }

    /** Makes a file in such a directory and opens it for writing; it must not be there yet. */
    public static FileChannel create(Path file) throws IOException {
        Set<StandardOpenOption> options = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        // Without modes, what is in the directory has the directory's permissions.
        return hasModes(file) ? FileChannel.open(file, options, mode("rw-------")) : FileChannel.open(file, options);
    }

    private static boolean hasModes(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private static FileAttribute<?> mode(String mode) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode));
    }
}
