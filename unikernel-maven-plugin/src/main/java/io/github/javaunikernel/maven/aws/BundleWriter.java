// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.zip.GZIPOutputStream;
import javax.crypto.Cipher;
import javax.crypto.CipherOutputStream;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/**
 * Writes the bundle of an S3-backed image, format 2007-10-10: the image in a tar of one member, gzip, AES-128-CBC under
 * a random key, cut into parts of 10 MiB, and the manifest. The plain image is never written a second time.
 */
public final class BundleWriter {
    /** The format's limit in bytes. */
    private static final long MAX_IMAGE = 10L << 30;

    private static final int KEY_BYTES = 16;
    /** Bytes of which the tar is a multiple: no padding beyond its end (IEEE Std 1003.1, pax: ustar). */
    private static final int TAR_RECORD = 512;

    private BundleWriter() {}

    /**
     * @throws CloudException when the image is absent or too large, or a file cannot be written; no manifest is left
     *     then
     */
    public static Bundle write(Path image, Path directory, Bundle.Spec spec) throws CloudException {
        try {
            long size = Files.size(image);
            if (size == 0) {
                throw new CloudException(Reason.IMAGE, "The image " + image + " is empty.");
            }
            if (size > MAX_IMAGE) {
                throw new CloudException(
                        Reason.IMAGE,
                        "The image " + image + " has " + size + " bytes; a bundle holds at most " + MAX_IMAGE + ".");
            }
            DiskImage.requireForPvGrub(image, CloudSetting.IMAGE);
            Files.createDirectories(directory);
            byte[] key = random();
            byte[] iv = random();
            BundleParts parts = new BundleParts(directory, spec.prefix());
            String digest = encrypt(image, size, spec.prefix(), key, iv, parts);
            Path manifest = directory.resolve(spec.prefix() + ".manifest.xml");
            String xml = new BundleManifest(spec, size, digest, parts.parts(), key, iv).xml();
            Files.writeString(manifest, xml, StandardCharsets.US_ASCII);
            return new Bundle(
                    manifest, parts.parts().stream().map(BundleParts.Part::file).toList(), spec.kernelId());
        } catch (IOException e) {
            throw failed(image, directory, e);
        } catch (GeneralSecurityException e) {
            throw new CloudException(
                    Reason.SETTING,
                    CloudSetting.CERTIFICATE,
                    "The bundle cannot be encrypted and signed with the keys given.",
                    "Give certificates and a key of RSA, at least 1024 bits long.",
                    e);
        }
    }

    private static CloudException failed(Path image, Path directory, IOException e) {
        if (!Files.isReadable(image)) {
            return DiskImage.unreadable(image, e);
        }
        return new CloudException(
                Reason.RECORD,
                null,
                "The bundle cannot be written to " + directory + ": "
                        + FileTrouble.cause(directory.resolve("part"), e)
                        + ".",
                "Make room there, and the directory writable.",
                e);
    }

    /** The whole pipe; returns the SHA-1 of the tar stream, hex. */
    private static String encrypt(Path image, long size, String prefix, byte[] key, byte[] iv, BundleParts parts)
            throws IOException, GeneralSecurityException {
        Cipher aes = Cipher.getInstance("AES/CBC/PKCS5Padding");
        aes.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(iv));
        MessageDigest sha1 = Digests.newDigest("SHA-1");
        try (InputStream in = Files.newInputStream(image);
                TarArchiveOutputStream tar = new TarArchiveOutputStream(
                        new DigestOutputStream(new GZIPOutputStream(new CipherOutputStream(parts, aes), 1 << 16), sha1),
                        TAR_RECORD)) {
            // For sizes that 11 octal digits cannot hold.
            tar.setBigNumberMode(TarArchiveOutputStream.BIGNUMBER_STAR);
            tar.putArchiveEntry(member(prefix, size));
            in.transferTo(tar);
            tar.closeArchiveEntry();
        }
        return HexFormat.of().formatHex(sha1.digest());
    }

    private static TarArchiveEntry member(String name, long size) {
        TarArchiveEntry member = new TarArchiveEntry(name);
        member.setSize(size);
        member.setModTime(0);
        return member;
    }

    private static byte[] random() {
        byte[] bytes = new byte[KEY_BYTES];
        new SecureRandom().nextBytes(bytes);
        return bytes;
    }
}
