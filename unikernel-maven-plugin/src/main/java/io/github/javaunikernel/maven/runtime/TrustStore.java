// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.time.Instant;
import java.util.Base64;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The certificates that a runtime trusts: those of its JDK, and further ones of the user. Written in the form JKS,
 * which every JDK reads as its store, and which can be written the same each time: java.security.KeyStore would put the
 * time of day into it.
 */
public final class TrustStore {

    private static final String PARAMETER = "trustedCertificates";
    /** The one that JDKs give their own store. */
    private static final String PASSWORD = "changeit";

    private static final Pattern PEM = Pattern.compile(
            "-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([^-]+)-----END (?:TRUSTED |X509 )?CERTIFICATE-----");
    private static final int JKS_MAGIC = 0xFEEDFEED;
    private static final int JKS_VERSION = 2;
    private static final int JKS_CERTIFICATE = 2;
    /** Text that the format JKS hashes between the password and the content. */
    private static final String JKS_SALT = "Mighty Aphrodite";

    private final Map<String, Certificate> certificates = new TreeMap<>();
    private int read;

    /** Adds all certificates of a store with the usual password, or of a file of certificates in PEM or DER form. */
    public TrustStore add(Path file) throws IOException, SettingException {
        if (!Files.isRegularFile(file)) {
            throw new SettingException(PARAMETER, "There is no file " + file + ".", "Correct the path.");
        }
        byte[] bytes = Files.readAllBytes(file);
        read = 0;
        try {
            Matcher pem = PEM.matcher(new String(bytes, StandardCharsets.ISO_8859_1));
            if (pem.find()) {
                do {
                    addNamed(file, certificate(Base64.getMimeDecoder().decode(pem.group(1))));
                } while (pem.find());
            } else if (!addStore(file)) {
                addNamed(file, certificate(bytes));
            }
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw unreadable(file, e);
        }
        if (read == 0) {
            throw unreadable(file, null);
        }
        return this;
    }

    /** How many there are. */
    public int size() {
        return certificates.size();
    }

    /**
     * The store as a file.
     *
     * @param time when its entries were made
     */
    public byte[] toBytes(Instant time) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        try {
            out.writeInt(JKS_MAGIC);
            out.writeInt(JKS_VERSION);
            out.writeInt(certificates.size());
            for (Map.Entry<String, Certificate> entry : certificates.entrySet()) {
                byte[] encoded = entry.getValue().getEncoded();
                out.writeInt(JKS_CERTIFICATE);
                out.writeUTF(entry.getKey());
                out.writeLong(time.toEpochMilli());
                out.writeUTF(entry.getValue().getType());
                out.writeInt(encoded.length);
                out.write(encoded);
            }
            MessageDigest digest = MessageDigest.getInstance("SHA-1");
            digest.update(PASSWORD.getBytes(StandardCharsets.UTF_16BE));
            digest.update(JKS_SALT.getBytes(StandardCharsets.UTF_8));
            out.write(digest.digest(bytes.toByteArray()));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("A certificate that was read can be written, and every Java has SHA-1", e);
        }
        return bytes.toByteArray();
    }

    private boolean addStore(Path file) throws GeneralSecurityException {
        for (char[] password : new char[][] {PASSWORD.toCharArray(), new char[0], null}) {
            try {
                KeyStore store = password == null
                        ? KeyStore.getInstance(file.toFile(), (KeyStore.LoadStoreParameter) null)
                        : KeyStore.getInstance(file.toFile(), password);
                for (String alias : Collections.list(store.aliases())) {
                    Certificate certificate = store.getCertificate(alias);
                    if (certificate != null) {
                        put(alias, certificate);
                    }
                }
                return true;
            } catch (IOException e) {
                // With another password, or no store at all.
            } catch (KeyStoreException | IllegalArgumentException e) {
                return false;
            }
        }
        return false;
    }

    private void addNamed(Path file, Certificate certificate) {
        put(file.getFileName().toString().toLowerCase(Locale.ROOT), certificate);
    }

    /** A certificate that is there already is not added again. */
    private void put(String alias, Certificate certificate) {
        read++;
        if (certificates.containsValue(certificate)) {
            return;
        }
        String name = alias;
        for (int copy = 2; certificates.containsKey(name); copy++) {
            name = alias + "-" + copy;
        }
        certificates.put(name, certificate);
    }

    private static Certificate certificate(byte[] encoded) throws CertificateException {
        return CertificateFactory.getInstance("X.509").generateCertificate(new ByteArrayInputStream(encoded));
    }

    private static SettingException unreadable(Path file, Exception cause) {
        return new SettingException(
                PARAMETER,
                file + " has no certificate that can be read.",
                "Name files with certificates in PEM or DER form, or key stores with the password '" + PASSWORD + "'.",
                cause);
    }
}
