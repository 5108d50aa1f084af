// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;
import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** JDKs and systems in archives: what becomes of good ones, and that others are refused and leave nothing behind. */
class UnpackedArchivesTest {

    private static final String RELEASE = "JAVA_VERSION=\"21.0.2\"\n";
    /** S_IFLNK | 0777 (inode(7)). */
    private static final int LINK = 0120777;

    @TempDir
    Path scratch;

    private interface Entries {
        void write(TarArchiveOutputStream tar) throws IOException;
    }

    private Path tar(Entries entries) throws IOException {
        Path file = scratch.resolve("jdk.tar.gz");
        try (OutputStream out = Files.newOutputStream(file);
                TarArchiveOutputStream tar = new TarArchiveOutputStream(new GZIPOutputStream(out))) {
            entries.write(tar);
        }
        return file;
    }

    private static void file(TarArchiveOutputStream tar, String name, int mode, String text) throws IOException {
        byte[] content = text.getBytes(StandardCharsets.UTF_8);
        TarArchiveEntry entry = new TarArchiveEntry(name);
        entry.setMode(mode);
        entry.setSize(content.length);
        tar.putArchiveEntry(entry);
        tar.write(content);
        tar.closeArchiveEntry();
    }

    private static void link(TarArchiveOutputStream tar, String name, byte type, String target) throws IOException {
        TarArchiveEntry entry = new TarArchiveEntry(name, type);
        entry.setLinkName(target);
        tar.putArchiveEntry(entry);
        tar.closeArchiveEntry();
    }

    private Path goodTar() throws IOException {
        return tar(tar -> {
            tar.putArchiveEntry(new TarArchiveEntry("jdk-21/"));
            tar.closeArchiveEntry();
            // Links come before what they lead to, one of them by another.
            link(tar, "jdk-21/legal/b/LICENSE", TarConstants.LF_SYMLINK, "../a/LICENSE");
            link(tar, "jdk-21/legal/a/LICENSE", TarConstants.LF_LINK, "jdk-21/LICENSE");
            file(tar, "jdk-21/release", 0644, RELEASE);
            file(tar, "jdk-21/bin/java", 0755, "the program");
            file(tar, "jdk-21/LICENSE", 0644, "the terms");
        });
    }

    private UnpackedArchives archives() {
        return new UnpackedArchives(scratch.resolve("cache"), 0);
    }

    private Path unpack(Path archive) throws SettingException, IOException {
        return archives().jdk(archive, Optional.empty());
    }

    private void assertIsJdk(Path home) throws IOException {
        assertEquals(RELEASE, Files.readString(home.resolve("release")));
        assertFalse(Files.isExecutable(home.resolve("release")));
        assertTrue(Files.isExecutable(home.resolve("bin/java")));
        assertEquals("the terms", Files.readString(home.resolve("legal/b/LICENSE")));
    }

    @Test
    void aTarIsUnpackedOnce() throws Exception {
        Path archive = goodTar();
        Path home = unpack(archive);
        assertIsJdk(home);
        assertEquals("jdk-21", home.getFileName().toString());
        var made = Files.getLastModifiedTime(home.resolve("release"));
        assertEquals(home, unpack(archive));
        assertEquals(made, Files.getLastModifiedTime(home.resolve("release")));
    }

    @Test
    void whatIsDamagedInTheCacheIsUnpackedAgain() throws Exception {
        Path archive = goodTar();
        Files.writeString(unpack(archive).resolve("bin/java"), "another program");
        assertEquals("the program", Files.readString(unpack(archive).resolve("bin/java")));
    }

    @Test
    void aZipIsUnpackedWithModesAndLinks() throws Exception {
        assertIsJdk(unpack(zip()));
    }

    private Path zip() throws IOException {
        Path file = scratch.resolve("jdk.zip");
        try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(file)) {
            zipped(zip, "jdk/legal/b/LICENSE", LINK, "../../LICENSE");
            zipped(zip, "jdk/release", 0644, RELEASE);
            zipped(zip, "jdk/bin/java", 0755, "the program");
            zipped(zip, "jdk/LICENSE", 0644, "the terms");
        }
        return file;
    }

    private static void zipped(ZipArchiveOutputStream zip, String name, int mode, String text) throws IOException {
        ZipArchiveEntry entry = new ZipArchiveEntry(name);
        entry.setUnixMode(mode);
        // Stored, so that the test can find and damage it.
        entry.setMethod(ZipArchiveEntry.STORED);
        byte[] content = text.getBytes(StandardCharsets.UTF_8);
        entry.setSize(content.length);
        CRC32 crc = new CRC32();
        crc.update(content);
        entry.setCrc(crc.getValue());
        zip.putArchiveEntry(entry);
        zip.write(content);
        zip.closeArchiveEntry();
    }

    @Test
    void aSystemHasItsFilesAtTheTop() throws Exception {
        Path root = archives().system(zip());
        assertEquals(RELEASE, Files.readString(root.resolve("jdk/release")));
        SettingException refused = assertThrows(
                SettingException.class, () -> archives().system(Files.writeString(scratch.resolve("text"), "text")));
        assertEquals("sysroot", refused.parameter());
    }

    @Test
    void aSystemInAJarIsUnpackedOnceAndRefusedIfItIsDamagedOrLeadsOut() throws Exception {
        Path jar = jar("lib64/libc.so.6", "the library");
        Path root = archives().system(jar);
        assertEquals("the library", Files.readString(root.resolve("lib64/libc.so.6")));
        assertEquals(root, archives().system(jar));

        byte[] damaged = Files.readAllBytes(jar);
        damaged[new String(damaged, StandardCharsets.ISO_8859_1).indexOf("the library")]++;
        refusedJar(Files.write(jar, damaged), "invalid entry CRC");
        refusedJar(jar("../outside", ""), "../outside in it leads out of the jar.");
        refusedJar(Files.writeString(scratch.resolve("text.jar"), "text"), "it is no jar or an empty one.");
        assertFalse(Files.exists(scratch.resolve("outside")));
    }

    private Path jar(String name, String text) throws IOException {
        Path file = scratch.resolve("system.jar");
        try (ZipArchiveOutputStream zip = new ZipArchiveOutputStream(file)) {
            zipped(zip, name, 0644, text);
        }
        return file;
    }

    private void refusedJar(Path jar, String reason) {
        SettingException refused =
                assertThrows(SettingException.class, () -> archives().system(jar));
        assertEquals("sysroot", refused.parameter());
        assertTrue(refused.getMessage().contains(reason), refused.getMessage());
    }

    @Test
    void theChecksumDecides() throws Exception {
        Path archive = goodTar();
        String right = Checksum.of(archive);
        archives().jdk(archive, Optional.of(right.toUpperCase(Locale.ROOT)));
        SettingException refused =
                assertThrows(SettingException.class, () -> archives().jdk(archive, Optional.of("00" + right)));
        assertEquals(
                archive + " has the SHA-256 " + right + ". [parameter jdkChecksum, -Dunikernel.jdkChecksum] Download it"
                        + " again, or correct the checksum if it is another version.",
                refused.getMessage());
    }

    @Test
    void nothingIsWrittenOutside() throws Exception {
        refused(tar(tar -> file(tar, "../outside", 0644, "")), "../outside in it leads out of the archive.");
        refused(tar(tar -> file(tar, "a/../../outside", 0644, "")), "leads out of the archive.");
        refused(
                tar(tar -> link(tar, "release", TarConstants.LF_SYMLINK, "/etc/passwd")),
                "release in it leads out of the archive.");
        refused(
                tar(tar -> link(tar, "a/release", TarConstants.LF_SYMLINK, "../../release")),
                "leads out of the archive.");
        refused(tar(tar -> link(tar, "release", TarConstants.LF_LINK, "../release")), "leads out of the archive.");
    }

    @Test
    void aLinkToADirectoryCannotHideWhatIsWritten() throws Exception {
        refused(
                tar(tar -> {
                    link(tar, "lib", TarConstants.LF_SYMLINK, ".");
                    file(tar, "lib/release", 0644, RELEASE);
                }),
                "lib in it is a link to no file of the archive.");
    }

    @Test
    void linksInACircleAndDevicesAreRefused() throws Exception {
        refused(
                tar(tar -> {
                    link(tar, "a", TarConstants.LF_SYMLINK, "b");
                    link(tar, "b", TarConstants.LF_SYMLINK, "a");
                }),
                "a in it is a link to no file of the archive.");
        refused(
                tar(tar -> link(tar, "null", TarConstants.LF_CHR, "")),
                "null in it is neither a file, a directory nor a link.");
    }

    @Test
    void damageIsFound() throws Exception {
        Path tar = goodTar();
        byte[] whole = Files.readAllBytes(tar);
        Files.write(tar, Arrays.copyOf(whole, whole.length - 4));
        refused(tar, "cannot be unpacked into");
        byte[] other = whole.clone();
        // The checksum at the end of a gzip (RFC 1952, 2.3.1).
        other[other.length - 8] ^= 1;
        Files.write(tar, other);
        refused(tar, "cannot be unpacked into");
        Path zip = zip();
        String text = Files.readString(zip, StandardCharsets.ISO_8859_1);
        Files.writeString(zip, text.replace("the program", "the pr0gram"), StandardCharsets.ISO_8859_1);
        refused(zip, "jdk/bin/java in it is damaged.");
    }

    @Test
    void otherFilesAreRefused() throws Exception {
        refused(Files.writeString(scratch.resolve("jdk.tar.gz"), "no archive"), "is neither a directory, a tar.gz nor");
        refused(tar(tar -> file(tar, "jdk/README", 0644, "")), "has no JDK in it: there is no file 'release'.");
        refused(scratch.resolve("absent"), "There is no " + scratch.resolve("absent") + ". ");
    }

    private void refused(Path archive, String words) throws IOException {
        SettingException refused = assertThrows(SettingException.class, () -> unpack(archive));
        assertEquals("jdkHome", refused.parameter());
        assertTrue(refused.getMessage().contains(words), refused.getMessage());
        assertFalse(Files.exists(scratch.resolve("outside")));
        try (var kept = Files.list(Files.createDirectories(scratch.resolve("cache")))) {
            List<String> names = kept.map(file -> file.getFileName().toString())
                    .filter(name -> !name.equals("cache.lock"))
                    .toList();
            assertEquals(List.of(), names);
        }
    }
}
