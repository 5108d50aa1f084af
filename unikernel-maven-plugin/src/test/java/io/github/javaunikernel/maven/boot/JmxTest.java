// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.SettingException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JmxTest {

    private static final Optional<Path> NO_FILE = Optional.empty();
    private static final Optional<Jmx.Tls> NO_TLS = Optional.empty();

    @TempDir
    private Path directory;

    private Optional<Path> passwords;

    @BeforeEach
    void writePasswords() throws Exception {
        passwords = Optional.of(Files.writeString(directory.resolve("passwords"), "monitorRole secret\n"));
    }

    private Jmx jmx() throws Exception {
        return Jmx.of(9010, "127.0.0.1", "password", passwords, NO_FILE, NO_TLS);
    }

    @Test
    void thePasswordFileIsThatOfTheImage() throws Exception {
        assertEquals(
                List.of(
                        "-Dcom.sun.management.jmxremote.port=9010",
                        "-Dcom.sun.management.jmxremote.rmi.port=9010",
                        "-Djava.rmi.server.hostname=127.0.0.1",
                        "-Dcom.sun.management.jmxremote.ssl=false",
                        "-Dcom.sun.management.jmxremote.authenticate=true",
                        "-Dcom.sun.management.jmxremote.password.file=/etc/unikernel.jmx.password",
                        "-Dcom.sun.management.jmxremote.password.toHashes=false"),
                jmx().jvmArguments());
        assertEquals(Map.of("/etc/unikernel.jmx.password", passwords.get()), jmx().files());
        Jmx withAccess = Jmx.of(1, "h", "password", passwords, passwords, NO_TLS);
        assertTrue(withAccess
                .jvmArguments()
                .contains("-Dcom.sun.management.jmxremote.access.file=/etc/unikernel.jmx.access"));
        assertEquals(passwords.get(), withAccess.files().get("/etc/unikernel.jmx.access"));
    }

    private Optional<Path> keystore(String password) throws Exception {
        Path file = directory.resolve("keys.p12");
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        try (OutputStream out = Files.newOutputStream(file)) {
            keys.store(out, password.toCharArray());
        }
        return Optional.of(file);
    }

    private Optional<Path> sslFile(String text) throws Exception {
        return Optional.of(Files.writeString(directory.resolve("ssl"), text));
    }

    @Test
    void tlsHasItsFilesInTheImage() throws Exception {
        Optional<Path> keys = keystore("secret");
        Optional<Path> ssl = sslFile(
                "javax.net.ssl.keyStore=/etc/unikernel.jmx.keystore\n" + "javax.net.ssl.keyStorePassword=secret\n");
        Jmx agent = Jmx.of(1, "h", "password", passwords, NO_FILE, Jmx.Tls.of(keys, ssl));
        List<String> arguments = agent.jvmArguments();
        assertTrue(
                arguments.containsAll(List.of(
                        "-Dcom.sun.management.jmxremote.ssl=true",
                        "-Dcom.sun.management.jmxremote.registry.ssl=true",
                        "-Dcom.sun.management.jmxremote.ssl.config.file=/etc/unikernel.jmx.ssl")),
                arguments.toString());
        assertEquals(
                Map.of(
                        "/etc/unikernel.jmx.password", passwords.get(),
                        "/etc/unikernel.jmx.keystore", keys.get(),
                        "/etc/unikernel.jmx.ssl", ssl.get()),
                agent.files());
        assertEquals(NO_TLS, Jmx.Tls.of(NO_FILE, NO_FILE));
    }

    @Test
    void aKeyThatCannotBeUsedIsRefused() throws Exception {
        Optional<Path> keys = keystore("secret");
        String place = "javax.net.ssl.keyStore=/etc/unikernel.jmx.keystore\n";
        assertRefused("jmxSslFile", () -> Jmx.Tls.of(keys, NO_FILE));
        assertRefused("jmxKeystore", () -> Jmx.Tls.of(NO_FILE, keys));
        assertRefused("jmxKeystore", () -> Jmx.Tls.of(Optional.of(directory.resolve("none")), keys));
        assertRefused("jmxSslFile", () -> Jmx.Tls.of(keys, sslFile(place)));
        assertRefused("jmxSslFile", () -> Jmx.Tls.of(keys, sslFile("javax.net.ssl.keyStorePassword=secret\n")));
        assertRefused("jmxSslFile", () -> Jmx.Tls.of(keys, sslFile("a=\\u00zz")));
        assertRefused("jmxKeystore", () -> Jmx.Tls.of(keys, sslFile(place + "javax.net.ssl.keyStorePassword=guess\n")));
        assertRefused(
                "jmxKeystore", () -> Jmx.Tls.of(passwords, sslFile(place + "javax.net.ssl.keyStorePassword=secret\n")));
    }

    @Test
    void nobodyIsAskedForAPasswordOnlyWhereThatIsSaid() throws Exception {
        Jmx open = Jmx.of(65535, "::1", "none", NO_FILE, NO_FILE, NO_TLS);
        assertTrue(open.jvmArguments().contains("-Dcom.sun.management.jmxremote.authenticate=false"));
        assertEquals(Map.of(), open.files());
        assertRefused("jmxPasswordFile", () -> Jmx.of(1, "h", "password", NO_FILE, NO_FILE, NO_TLS));
        assertRefused("jmxPasswordFile", () -> Jmx.of(1, "h", "password", NO_FILE, passwords, NO_TLS));
        assertRefused("jmxAuthentication", () -> Jmx.of(1, "h", "none", passwords, NO_FILE, NO_TLS));
        assertRefused("jmxAuthentication", () -> Jmx.of(1, "h", "none", NO_FILE, passwords, NO_TLS));
        assertRefused("jmxAuthentication", () -> Jmx.of(1, "h", "false", NO_FILE, NO_FILE, NO_TLS));
    }

    @Test
    void whatCannotWorkIsRefused() {
        Optional<Path> nothing = Optional.of(directory.resolve("nothing"));
        assertRefused("jmxPasswordFile", () -> Jmx.of(1, "h", "password", nothing, NO_FILE, NO_TLS));
        assertRefused("jmxAccessFile", () -> Jmx.of(1, "h", "password", passwords, nothing, NO_TLS));
        assertRefused("jmxHostname", () -> Jmx.of(1, "a b", "none", NO_FILE, NO_FILE, NO_TLS));
        assertRefused("jmxHostname", () -> Jmx.of(1, "", "none", NO_FILE, NO_FILE, NO_TLS));
        for (int port : new int[] {-1, 0, 65536}) {
            assertRefused("jmx", () -> Jmx.of(port, "h", "none", NO_FILE, NO_FILE, NO_TLS));
        }
    }

    @Test
    void thePortIsItsOwnAndNeedsANetwork() throws Exception {
        NetworkSetting dhcp = NetworkSetting.parse("dhcp");
        assertDoesNotThrow(() -> jmx().checkWith(dhcp, Map.of(9100, "metricsPort"), GivenOptions.NONE));
        assertRefused("jmx", () -> jmx().checkWith(dhcp, Map.of(9010, "metricsPort"), GivenOptions.NONE));
        assertRefused("jmx", () -> jmx().checkWith(NetworkSetting.parse("none"), Map.of(), GivenOptions.NONE));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-Dcom.sun.management.jmxremote",
                "-Dcom.sun.management.jmxremote.port=9011",
                "-Dcom.sun.management.jmxremote.ssl=true",
                "-Dcom.sun.management.config.file=/a",
                "-XX:+ManagementServer",
                "-Djava.rmi.server.hostname=a"
            })
    void theUsersOwnOptionsForItAreRefused(String option) throws Exception {
        NetworkSetting dhcp = NetworkSetting.parse("dhcp");
        GivenOptions argument = GivenOptions.of(List.of(option), Map.of(), Map.of());
        GivenOptions variable = GivenOptions.of(List.of(), Map.of(), Map.of("JAVA_TOOL_OPTIONS", "-Xint " + option));
        for (GivenOptions given : List.of(argument, variable)) {
            SettingException refused = assertRefused("jmx", () -> jmx().checkWith(dhcp, Map.of(), given));
            assertTrue(refused.getMessage().contains(option.split("=")[0]), refused.getMessage());
        }
    }

    @Test
    void otherOptionsAreTheUsersAffair() throws Exception {
        GivenOptions given = GivenOptions.of(
                List.of("-Dcom.sun.management.jmxremoteness=a", "-Djava.rmi.other=b"), Map.of(), Map.of());
        NetworkSetting dhcp = NetworkSetting.parse("dhcp");
        assertDoesNotThrow(() -> jmx().checkWith(dhcp, Map.of(), given));
    }

    @Test
    void onlyAnAgentOnOnePortHasAPort() throws Exception {
        assertEquals(OptionalInt.of(9010), Jmx.port(jmx().jvmArguments()));
        assertEquals(OptionalInt.empty(), Jmx.port(List.of("-Dcom.sun.management.jmxremote.port=9010")));
        assertEquals(
                OptionalInt.empty(),
                Jmx.port(List.of(
                        "-Dcom.sun.management.jmxremote.port=9010", "-Dcom.sun.management.jmxremote.rmi.port=9011")));
        assertEquals("service:jmx:rmi:///jndi/rmi://127.0.0.1:9010/jmxrmi", Jmx.serviceUrl(9010));
    }

    private static SettingException assertRefused(String parameter, Executable reading) {
        SettingException refused = assertThrows(SettingException.class, reading);
        assertEquals(parameter, refused.parameter());
        return refused;
    }
}
