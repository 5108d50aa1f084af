// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.aws.fake.FakeAws;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bundles are undone and checked with openssl, gunzip and tar alone. */
class BundleTest {
    @TempDir
    Path directory;

    private Deployments deployments;
    private BundleKeys keys;

    @BeforeEach
    void start() throws Exception {
        deployments = new Deployments(directory);
        deployments.writeImage(3, 40);
        certificate("ec2", 1024);
        certificate("user", 2048);
        keys = BundleKeys.read(
                directory.resolve("ec2.crt"), directory.resolve("user.crt"), directory.resolve("user.key"));
    }

    private void certificate(String name, int bits) throws Exception {
        shell("openssl req -x509 -newkey rsa:" + bits + " -nodes -keyout " + name + ".key -out " + name
                + ".crt -subj /CN=" + name + " -days 1 2>/dev/null");
    }

    private byte[] shell(String command) throws Exception {
        Process process = new ProcessBuilder("bash", "-o", "pipefail", "-ec", command)
                .directory(directory.toFile())
                .start();
        byte[] out = process.getInputStream().readAllBytes();
        String error = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> command + ": " + error);
        return out;
    }

    private Bundle write() throws CloudException {
        return BundleWriter.write(
                deployments.image,
                directory.resolve("bundle"),
                Bundle.Spec.of("shop", FakeAws.ACCOUNT, "aki-00000105", keys));
    }

    @Test
    void isUndoneByEitherRecipient() throws Exception {
        Bundle bundle = write();
        String xml = Files.readString(bundle.manifest());
        assertTrue(bundle.parts().size() >= 2);
        assertEquals(BundleParts.PART_BYTES, Files.size(bundle.parts().get(0)));
        for (String recipient : new String[] {"ec2", "user"}) {
            String key = decrypt(recipient, value(xml, recipient + "_encrypted_key"));
            String iv = decrypt(recipient, value(xml, recipient + "_encrypted_iv"));
            shell("rm -rf undone; mkdir undone; cat bundle/shop.part.* | openssl enc -d -aes-128-cbc -K " + key
                    + " -iv " + iv + " | gunzip | tee undone/tar | tar -x -C undone");
            assertArrayEquals(
                    Files.readAllBytes(deployments.image), Files.readAllBytes(directory.resolve("undone/shop")));
            assertEquals(value(xml, "digest"), sha1(Files.readAllBytes(directory.resolve("undone/tar"))));
        }
    }

    private String decrypt(String recipient, String hex) throws Exception {
        Files.write(directory.resolve("cipher"), HexFormat.of().parseHex(hex));
        String text = new String(
                shell("openssl pkeyutl -decrypt -inkey " + recipient + ".key -in cipher"), StandardCharsets.US_ASCII);
        assertTrue(text.matches("[0-9a-f]{32}"), text);
        return text;
    }

    @Test
    void theManifestIsSignedAndItsDigestsHold() throws Exception {
        Bundle bundle = write();
        String xml = Files.readString(bundle.manifest());
        Files.writeString(directory.resolve("signed"), element(xml, "machine_configuration") + element(xml, "image"));
        Files.write(directory.resolve("signature"), HexFormat.of().parseHex(value(xml, "signature")));
        shell("openssl x509 -in user.crt -pubkey -noout > user.pub; openssl dgst -sha1 -verify user.pub "
                + "-signature signature signed");

        Matcher parts = Pattern.compile("<part index=\"(\\d+)\"><filename>([^<]+)</filename><digest "
                        + "algorithm=\"SHA1\">([0-9a-f]{40})</digest></part>")
                .matcher(xml);
        long total = 0;
        int count = 0;
        for (; parts.find(); count++) {
            byte[] part = Files.readAllBytes(directory.resolve("bundle").resolve(parts.group(2)));
            assertEquals(Integer.toString(count), parts.group(1));
            assertEquals(sha1(part), parts.group(3));
            total += part.length;
        }
        assertEquals(bundle.parts().size(), count);
        assertTrue(xml.contains("<parts count=\"" + count + "\">"));
        assertEquals(Long.toString(total), value(xml, "bundled_size"));
        assertEquals(Long.toString(Files.size(deployments.image)), value(xml, "size"));
        assertEquals(FakeAws.ACCOUNT, value(xml, "user"));
        assertTrue(xml.contains("</user><type>machine</type>"));
        assertEquals("x86_64", value(xml, "architecture"));
        assertEquals("aki-00000105", value(xml, "kernel_id"));
    }

    @Test
    void isUploadedForEc2AndRegisteredFromItsManifest() throws Exception {
        try (FakeAws fake = new FakeAws();
                AwsAccess access = deployments.access(fake)) {
            Bundle bundle = write();
            String imageId = new BundleUploader(access, Deployments.REGION, Duration.ofSeconds(60), deployments.log)
                    .upload(bundle, "images", "shop/1.0", "shop-1.0-s3", "org.example:shop");

            assertEquals(bundle.parts().size() + 1, fake.s3().objects().size());
            assertArrayEquals(
                    Files.readAllBytes(bundle.parts().get(1)),
                    fake.s3().objects().get("images/shop/1.0/shop.part.01"));
            assertEquals(
                    "images/shop/1.0/shop.manifest.xml",
                    fake.region(Deployments.REGION).images.get(imageId).fields.get("ImageLocation"));
        }
    }

    @Test
    void aRefusedRegistrationLeavesNothingInS3() throws Exception {
        try (FakeAws fake = new FakeAws();
                AwsAccess access = deployments.access(fake)) {
            fake.deny("RegisterImage");
            Bundle bundle = write();
            BundleUploader uploader =
                    new BundleUploader(access, Deployments.REGION, Duration.ofSeconds(60), deployments.log);
            CloudException failure = assertThrows(
                    CloudException.class, () -> uploader.upload(bundle, "images", "", "shop", "org.example:shop"));
            assertEquals(Reason.PERMISSION, failure.reason());
            assertTrue(fake.s3().objects().isEmpty());
        }
    }

    @Test
    void aKeyOfAnotherFormatIsExplainedAndNotQuoted() throws Exception {
        shell("openssl rsa -traditional -in user.key -out old.key 2>/dev/null");
        CloudException failure = assertThrows(
                CloudException.class,
                () -> BundleKeys.read(
                        directory.resolve("ec2.crt"), directory.resolve("user.crt"), directory.resolve("old.key")));
        assertTrue(failure.getMessage().contains("openssl pkcs8"), failure.getMessage());
        assertFalse(failure.getMessage()
                .contains(Files.readAllLines(directory.resolve("old.key")).get(1)));
    }

    private static String value(String xml, String element) {
        Matcher matcher = Pattern.compile("<" + element + "(?: [^>]*)?>([^<]*)</" + element + ">")
                .matcher(xml);
        assertTrue(matcher.find(), element);
        return matcher.group(1);
    }

    private static String element(String xml, String name) {
        return xml.substring(xml.indexOf("<" + name + ">"), xml.indexOf("</" + name + ">") + name.length() + 3);
    }

    private static String sha1(byte[] data) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(data));
    }
}
