// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.time.ZoneOffset;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KnownHashTest {

    /** SHA-256 of "abc" (FIPS 180-2, appendix B.1). */
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @TempDir
    private Path directory;

    private Path file;

    @BeforeEach
    void write() throws Exception {
        file = Files.writeString(directory.resolve("file"), "abc");
    }

    /** A clock that stands so many seconds after the last change. */
    private Clock after(int seconds) throws Exception {
        FileTime changed = (FileTime) Files.getAttribute(file, "unix:ctime");
        return Clock.fixed(changed.toInstant().plusSeconds(seconds), ZoneOffset.UTC);
    }

    @Test
    void aFileIsReadOnceUntilItChanges() throws Exception {
        assertEquals(ABC, KnownHash.of(file, after(3)));
        Path kept = KnownHash.keptAt(file);
        String text = Files.readString(kept);
        assertTrue(text.startsWith(ABC + " "), text);
        Files.writeString(kept, text.replace(ABC, "known"));
        assertEquals("known", KnownHash.of(file, after(1)));

        FileTime time = Files.getLastModifiedTime(file);
        Files.writeString(file, "abd");
        Files.setLastModifiedTime(file, time);
        String changed = KnownHash.of(file, after(3));
        assertEquals(64, changed.length());
        assertNotEquals(ABC, changed);
    }

    @Test
    void whatMayChangeWithoutATraceIsNotKept() throws Exception {
        assertEquals(ABC, KnownHash.of(file, after(1)));
        assertFalse(Files.exists(KnownHash.keptAt(file)));
    }

    @Test
    void whatIsKeptMayBeDamaged() throws Exception {
        Files.writeString(KnownHash.keptAt(file), "nonsense");
        assertEquals(ABC, KnownHash.of(file, after(3)));
        assertTrue(Files.readString(KnownHash.keptAt(file)).startsWith(ABC));
    }

    /** Its file system has no time that nobody can set back. */
    @Test
    void nothingIsKeptOnWindows() throws Exception {
        try (FileSystem windows = Jimfs.newFileSystem(Configuration.windows())) {
            Path image = Files.writeString(windows.getPath("C:\\hello.img"), "abc");
            assertEquals(ABC, KnownHash.of(image, after(3)));
            assertFalse(Files.exists(KnownHash.keptAt(image)));
        }
    }
}
