// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.settings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.AclEntry;
import java.nio.file.attribute.AclEntryFlag;
import java.nio.file.attribute.AclEntryType;
import java.nio.file.attribute.AclFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrivateFilesTest {

    @Test
    void haveModesOnUnix(@TempDir Path scratch) throws Exception {
        Path directory = scratch.resolve("private");
        PrivateFiles.createDirectory(directory);
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)));
        Path file = directory.resolve("file");
        PrivateFiles.create(file).close();
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertThrows(FileAlreadyExistsException.class, () -> PrivateFiles.create(file));
    }

    /** Its files inherit the one entry of the directory. */
    @Test
    void belongToTheirOwnerAloneOnWindows() throws Exception {
        Configuration windows = Configuration.windows().toBuilder()
                .setAttributeViews("basic", "owner", "acl")
                .build();
        try (FileSystem system = Jimfs.newFileSystem(windows)) {
            Path directory = system.getPath("C:\\private");
            PrivateFiles.createDirectory(directory);
            List<AclEntry> entries = Files.getFileAttributeView(directory, AclFileAttributeView.class)
                    .getAcl();
            assertEquals(1, entries.size());
            assertEquals(AclEntryType.ALLOW, entries.get(0).type());
            assertEquals(Files.getOwner(directory), entries.get(0).principal());
            assertEquals(
                    Set.of(AclEntryFlag.FILE_INHERIT, AclEntryFlag.DIRECTORY_INHERIT),
                    entries.get(0).flags());
            PrivateFiles.create(directory.resolve("file")).close();
            assertTrue(Files.exists(directory.resolve("file")));
        }
    }

    @Test
    void needADiskWithPermissions() throws Exception {
        Configuration fat =
                Configuration.windows().toBuilder().setAttributeViews("basic").build();
        try (FileSystem system = Jimfs.newFileSystem(fat)) {
            ExplainedException e = assertThrows(
                    ExplainedException.class, () -> PrivateFiles.createDirectory(system.getPath("C:\\private")));
            assertEquals(
                    "C:\\private is on a disk without permissions. Build on another disk, such as one with NTFS.",
                    e.getMessage());
        }
    }
}
