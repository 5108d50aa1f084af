// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The keys of a bundle, all RSA.
 *
 * @param ec2 of EC2's certificate for the region; it expired long ago, only its key matters
 * @param user of the user's certificate
 * @param signing the user's private key
 */
public record BundleKeys(PublicKey ec2, PublicKey user, PrivateKey signing) {
    private static final Pattern PKCS8 =
            Pattern.compile("-----BEGIN PRIVATE KEY-----(.*?)-----END PRIVATE KEY-----", Pattern.DOTALL);

    /** Reads PEM files: two X.509 certificates and a PKCS#8 key. */
    public static BundleKeys read(Path ec2Certificate, Path userCertificate, Path userKey) throws CloudException {
        return new BundleKeys(
                certificate(CloudSetting.EC2_CERTIFICATE, ec2Certificate),
                certificate(CloudSetting.CERTIFICATE, userCertificate),
                privateKey(userKey));
    }

    private static PublicKey certificate(CloudSetting setting, Path file) throws CloudException {
        try (InputStream in = Files.newInputStream(file)) {
            return CertificateFactory.getInstance("X.509")
                    .generateCertificate(in)
                    .getPublicKey();
        } catch (IOException e) {
            throw new CloudException(
                    Reason.SETTING,
                    setting,
                    "The certificate " + file + " cannot be read: " + FileTrouble.cause(file, e) + ".",
                    "Correct the path.",
                    e);
        } catch (GeneralSecurityException e) {
            throw new CloudException(
                    Reason.SETTING,
                    setting,
                    file + " is not an X.509 certificate in PEM format.",
                    "Name a file with one.",
                    e);
        }
    }

    private static PrivateKey privateKey(Path file) throws CloudException {
        try {
            Matcher pem = PKCS8.matcher(Files.readString(file, StandardCharsets.US_ASCII));
            if (!pem.find()) {
                throw new CloudException(
                        CloudSetting.PRIVATE_KEY,
                        file + " does not hold a PKCS#8 key.",
                        "Convert the key with \"openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW\".");
            }
            byte[] der = Base64.getMimeDecoder().decode(pem.group(1));
            return KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(der));
        } catch (IOException e) {
            throw new CloudException(
                    Reason.SETTING,
                    CloudSetting.PRIVATE_KEY,
                    "The key " + file + " cannot be read: " + FileTrouble.cause(file, e) + ".",
                    "Correct the path.",
                    e);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            // the cause is left out: a parser's message may quote the key
            throw new CloudException(CloudSetting.PRIVATE_KEY, file + " holds no RSA key.", "Name a file with one.");
        }
    }

    @Override
    public String toString() {
        return "BundleKeys";
    }
}
