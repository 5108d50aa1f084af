// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.time.Instant;
import java.util.Base64;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With certificates of the JDK's own store. */
class TrustStoreTest {

    private static final Instant TIME = Instant.parse("2026-01-01T00:00:00Z");
    private static final char[] PASSWORD = "changeit".toCharArray();

    @TempDir
    private Path scratch;

    private List<Certificate> certificates;

    @BeforeEach
    void read() throws Exception {
        KeyStore store = KeyStore.getInstance(
                Path.of(System.getProperty("java.home"), "lib/security/cacerts").toFile(), PASSWORD);
        certificates = new java.util.ArrayList<>();
        for (String alias : Collections.list(store.aliases()).subList(0, 4)) {
            certificates.add(store.getCertificate(alias));
        }
    }

    @Test
    void everyFormIsReadAndEveryJdkReadsTheResult() throws Exception {
        Path base = store("base.p12", "PKCS12", PASSWORD, certificates.get(0), certificates.get(1));
        Path pem = Files.writeString(
                scratch.resolve("company.pem"),
                "# The company's\n" + pem(certificates.get(1)) + "and another\n" + pem(certificates.get(2)));
        Path der = Files.write(scratch.resolve("one.der"), certificates.get(3).getEncoded());
        Path empty = store("empty.jks", "JKS", PASSWORD, certificates.get(0));
        TrustStore trusted = new TrustStore().add(base).add(pem).add(der).add(empty);
        assertEquals(4, trusted.size());
        byte[] bytes = trusted.toBytes(TIME);
        assertArrayEquals(
                bytes, new TrustStore().add(base).add(pem).add(der).add(empty).toBytes(TIME));
        Path file = Files.write(scratch.resolve("cacerts"), bytes);
        for (char[] password : new char[][] {PASSWORD, null}) {
            for (String type : List.of("JKS", KeyStore.getDefaultType())) {
                KeyStore read = KeyStore.getInstance(type);
                try (var in = Files.newInputStream(file)) {
                    read.load(in, password);
                }
                Set<Certificate> found = new HashSet<>();
                for (String alias : Collections.list(read.aliases())) {
                    assertTrue(read.isCertificateEntry(alias), alias);
                    found.add(read.getCertificate(alias));
                }
                assertEquals(new HashSet<>(certificates), found, type);
            }
        }
    }

    @Test
    void whatIsNoCertificateIsAnErrorThatSaysWhatIs() throws Exception {
        Path text = Files.writeString(scratch.resolve("text.pem"), "no certificate");
        Path secret = store("secret.p12", "PKCS12", "another".toCharArray(), certificates.get(0));
        for (Path file : List.of(text, secret)) {
            SettingException refused = assertThrows(SettingException.class, () -> new TrustStore().add(file));
            assertEquals("trustedCertificates", refused.parameter());
            assertTrue(
                    refused.getMessage().startsWith(file + " has no certificate that can be read."),
                    refused.getMessage());
            assertTrue(
                    refused.getMessage().endsWith("or key stores with the password 'changeit'."), refused.getMessage());
        }
        assertThrows(SettingException.class, () -> new TrustStore().add(scratch.resolve("gone")));
    }

    private Path store(String name, String type, char[] password, Certificate... contents) throws Exception {
        KeyStore store = KeyStore.getInstance(type);
        store.load(null, null);
        for (Certificate certificate : contents) {
            store.setCertificateEntry("a" + certificates.indexOf(certificate), certificate);
        }
        Path file = scratch.resolve(name);
        try (var out = Files.newOutputStream(file)) {
            store.store(out, password);
        }
        return file;
    }

    private static String pem(Certificate certificate) throws Exception {
        return "-----BEGIN CERTIFICATE-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(certificate.getEncoded())
                + "\n-----END CERTIFICATE-----\n";
    }
}
