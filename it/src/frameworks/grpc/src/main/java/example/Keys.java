// SPDX-License-Identifier: Apache-2.0
package example;

import java.security.KeyStore;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;

/** The certificate for localhost that the build makes, which its own clients trust. */
final class Keys {

    private static final char[] PASSWORD = "secret".toCharArray();

    private Keys() {
    }

    static KeyManager[] keys() throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store(), PASSWORD);
        return keys.getKeyManagers();
    }

    static TrustManager[] trusted() throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("localhost", store().getCertificate("localhost"));
        TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        managers.init(trusted);
        return managers.getTrustManagers();
    }

    private static KeyStore store() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (var in = Keys.class.getResourceAsStream("/localhost.p12")) {
            store.load(in, PASSWORD);
        }
        return store;
    }
}
