// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Cipher;

/**
 * The manifest of a bundle. The signature covers two elements exactly as they are written, so that the text is made
 * without white space between elements and never parsed again.
 */
final class BundleManifest {
    private final Bundle.Spec spec;
    private final long size;
    private final String digest;
    private final List<BundleParts.Part> parts;
    private final byte[] key;
    private final byte[] iv;

    /**
     * @param size of the image in bytes
     * @param digest SHA-1 of the tar stream, hex
     */
    BundleManifest(Bundle.Spec spec, long size, String digest, List<BundleParts.Part> parts, byte[] key, byte[] iv) {
        this.spec = spec;
        this.size = size;
        this.digest = digest;
        this.parts = parts;
        this.key = key.clone();
        this.iv = iv.clone();
    }

    String xml() throws GeneralSecurityException {
        String machine = "<machine_configuration><architecture>x86_64</architecture><kernel_id>" + spec.kernelId()
                + "</kernel_id></machine_configuration>";
        String image = image();
        return "<?xml version=\"1.0\"?><manifest><version>2007-10-10</version>"
                + "<bundler><name>unikernel-maven-plugin</name><version>1</version><release>1</release></bundler>"
                + machine + image + "<signature>" + sign(machine + image) + "</signature></manifest>";
    }

    private String image() throws GeneralSecurityException {
        StringBuilder xml = new StringBuilder("<image><name>")
                .append(spec.prefix())
                .append("</name><user>")
                .append(spec.account())
                .append("</user><type>machine</type><digest algorithm=\"SHA1\">")
                .append(digest)
                .append("</digest><size>")
                .append(size)
                .append("</size><bundled_size>")
                .append(parts.stream().mapToLong(BundleParts.Part::bytes).sum())
                .append("</bundled_size>");
        element(
                xml,
                "ec2_encrypted_key algorithm=\"AES-128-CBC\"",
                encrypted(spec.keys().ec2(), key));
        element(
                xml,
                "user_encrypted_key algorithm=\"AES-128-CBC\"",
                encrypted(spec.keys().user(), key));
        element(xml, "ec2_encrypted_iv", encrypted(spec.keys().ec2(), iv));
        element(xml, "user_encrypted_iv", encrypted(spec.keys().user(), iv));
        xml.append("<parts count=\"").append(parts.size()).append("\">");
        for (int i = 0; i < parts.size(); i++) {
            xml.append("<part index=\"")
                    .append(i)
                    .append("\"><filename>")
                    .append(parts.get(i).file().getFileName())
                    .append("</filename><digest algorithm=\"SHA1\">")
                    .append(parts.get(i).sha1())
                    .append("</digest></part>");
        }
        return xml.append("</parts></image>").toString();
    }

    private static void element(StringBuilder xml, String opening, String text) {
        xml.append('<')
                .append(opening)
                .append('>')
                .append(text)
                .append("</")
                .append(opening.split(" ")[0])
                .append('>');
    }

    /** The format encrypts the 32 hex digits, not the 16 bytes. */
    private static String encrypted(PublicKey recipient, byte[] secret) throws GeneralSecurityException {
        Cipher rsa = Cipher.getInstance("RSA/ECB/PKCS1Padding");
        rsa.init(Cipher.ENCRYPT_MODE, recipient);
        return HexFormat.of()
                .formatHex(rsa.doFinal(HexFormat.of().formatHex(secret).getBytes(StandardCharsets.US_ASCII)));
    }

    private String sign(String text) throws GeneralSecurityException {
        Signature signature = Signature.getInstance("SHA1withRSA");
        signature.initSign(spec.keys().signing());
        signature.update(text.getBytes(StandardCharsets.US_ASCII));
        return HexFormat.of().formatHex(signature.sign());
    }
}
