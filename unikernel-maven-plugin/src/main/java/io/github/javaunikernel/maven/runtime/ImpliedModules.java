// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.util.List;
import java.util.Map;

/**
 * Modules that an API or a name in a text needs, although its callers do not mention them: providers that the JDK loads
 * as services or by reflection. Without them, programs build and start and then fail at the first use, or print other
 * things than on a whole JDK.
 */
final class ImpliedModules {

    /**
     * The beginning of a class name or of {@code class.member}, and the modules that it needs. Elliptic curves, without
     * which no server of today accepts a TLS connection, are in java.base only from Java 22 on.
     */
    private static final Map<String, List<String>> BEHIND_API = Map.ofEntries(
            Map.entry("javax/net/ssl/", List.of("jdk.crypto.ec")),
            Map.entry("java/net/http/HttpClient", List.of("jdk.crypto.ec")),
            Map.entry("java/net/URLConnection", List.of("jdk.crypto.ec")),
            Map.entry("java/security/KeyPairGenerator", List.of("jdk.crypto.ec")),
            Map.entry("java/security/KeyFactory", List.of("jdk.crypto.ec")),
            Map.entry("java/security/Signature", List.of("jdk.crypto.ec")),
            Map.entry("java/security/cert/CertificateFactory", List.of("jdk.crypto.ec")),
            Map.entry("javax/crypto/KeyAgreement", List.of("jdk.crypto.ec")),
            Map.entry("java/nio/file/FileSystems", List.of("jdk.zipfs")),
            Map.entry("java/nio/file/spi/FileSystemProvider", List.of("jdk.zipfs")),
            Map.entry("java/nio/charset/Charset.forName", List.of("jdk.charsets")),
            Map.entry("java/nio/charset/Charset.isSupported", List.of("jdk.charsets")),
            Map.entry("java/nio/charset/Charset.availableCharsets", List.of("jdk.charsets")),
            Map.entry("java/lang/System.getLogger", List.of("java.logging")),
            Map.entry("java/lang/management/ManagementFactory", List.of("jdk.management")),
            Map.entry("javax/management/remote/", List.of("java.management.rmi")),
            Map.entry("javax/naming/Initial", List.of("jdk.naming.dns", "jdk.naming.rmi")),
            Map.entry("javax/naming/directory/Initial", List.of("jdk.naming.dns", "jdk.naming.rmi")),
            Map.entry("javax/naming/spi/NamingManager", List.of("jdk.naming.dns", "jdk.naming.rmi")),
            Map.entry("javax/security/auth/login/LoginContext", List.of("jdk.security.auth")),
            Map.entry(
                    "javax/security/auth/kerberos/",
                    List.of("java.security.jgss", "jdk.security.jgss", "jdk.security.auth")),
            Map.entry("org/ietf/jgss/", List.of("java.security.jgss", "jdk.security.jgss", "jdk.security.auth")),
            Map.entry("javax/security/sasl/", List.of("java.security.sasl", "jdk.security.jgss")),
            Map.entry("javax/sql/rowset/RowSetProvider", List.of("java.sql.rowset")),
            Map.entry("javax/tools/ToolProvider", List.of("jdk.compiler")),
            Map.entry("com/sun/nio/sctp/", List.of("jdk.sctp")));

    /** A whole text, such as the name of a provider or an algorithm, and the modules that provide it. */
    private static final Map<String, List<String>> BEHIND_NAME = Map.ofEntries(
            Map.entry("SunEC", List.of("jdk.crypto.ec")),
            Map.entry("SunPKCS11", List.of("jdk.crypto.cryptoki")),
            Map.entry("PKCS11", List.of("jdk.crypto.cryptoki")),
            Map.entry("SunPCSC", List.of("java.smartcardio")),
            Map.entry("XMLDSig", List.of("java.xml.crypto")),
            Map.entry("SunSASL", List.of("java.security.sasl")),
            Map.entry("JdkSASL", List.of("jdk.security.jgss")),
            Map.entry("SunJGSS", List.of("java.security.jgss", "jdk.security.jgss")),
            Map.entry("GSSAPI", List.of("java.security.jgss", "jdk.security.jgss", "jdk.security.auth")),
            Map.entry("Kerberos", List.of("java.security.jgss", "jdk.security.jgss", "jdk.security.auth")),
            Map.entry("SPNEGO", List.of("java.security.jgss", "jdk.security.jgss", "jdk.security.auth")),
            Map.entry("1.2.840.113554.1.2.2", List.of("java.security.jgss", "jdk.security.jgss", "jdk.security.auth")),
            Map.entry("1.3.6.1.5.5.2", List.of("java.security.jgss", "jdk.security.jgss", "jdk.security.auth")),
            Map.entry("JdkLDAP", List.of("java.naming")),
            Map.entry("TCP_KEEPIDLE", List.of("jdk.net")),
            Map.entry("TCP_KEEPINTERVAL", List.of("jdk.net")),
            Map.entry("TCP_KEEPCOUNT", List.of("jdk.net")),
            Map.entry("TCP_QUICKACK", List.of("jdk.net")),
            Map.entry("SO_INCOMING_NAPI_ID", List.of("jdk.net")));

    /** The beginning of a text that is an address, and the modules that it needs. */
    private static final Map<String, List<String>> BEHIND_ADDRESS = Map.of(
            "dns:", List.of("java.naming", "jdk.naming.dns"),
            "ldap:", List.of("java.naming"),
            "ldaps:", List.of("java.naming"),
            "rmi:", List.of("jdk.naming.rmi"),
            "service:jmx:", List.of("java.management.rmi"),
            "jdbc:", List.of("java.sql"));

    private ImpliedModules() {}

    /** The modules that a class or member needs, whose name has slashes. */
    static List<String> behindApi(String name) {
        // The options of every kind of socket and channel include those of jdk.net where that is there.
        if (name.endsWith(".supportedOptions") && name.startsWith("java/n")) {
            return List.of("jdk.net");
        }
        for (Map.Entry<String, List<String>> entry : BEHIND_API.entrySet()) {
            if (name.startsWith(entry.getKey())) {
                return entry.getValue();
            }
        }
        return List.of();
    }

    /** The modules that a text needs. */
    static List<String> behindText(String text) {
        List<String> modules = BEHIND_NAME.get(text);
        if (modules != null) {
            return modules;
        }
        int colon = text.indexOf(':');
        String scheme = colon < 0 || text.indexOf(' ') >= 0 ? "" : text.substring(0, colon + 1);
        if (scheme.equals("service:")) {
            scheme = text.startsWith("service:jmx:") ? "service:jmx:" : "";
        }
        return BEHIND_ADDRESS.getOrDefault(scheme, List.of());
    }
}
