// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.boot;

import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * JMX over RMI on one port of the guest, for images that consoles such as JDK Mission Control are to attach to. The
 * properties are those of the JDK's file conf/management/management.properties.
 *
 * @param hostname under which clients reach the guest: RMI's answers name it
 * @param passwords the file with users and passwords, or empty where nobody is asked for one
 * @param access the file that says what each user may do, or empty for that of the JDK
 * @param tls what the agent needs for TLS, or empty for connections that others can read
 */
public record Jmx(int port, String hostname, Optional<Path> passwords, Optional<Path> access, Optional<Tls> tls) {

    /**
     * The agent's key.
     *
     * @param keystore with the key and its certificate
     * @param settings of the JDK (ssl.config.file in management.properties): where the image has the key store, and its
     *     password
     */
    public record Tls(Path keystore, Path settings) {

        private static final String PLACE = "javax.net.ssl.keyStore";
        private static final String PASSWORD = "javax.net.ssl.keyStorePassword";

        /** Reads and checks both; empty if there is neither. */
        public static Optional<Tls> of(Optional<Path> keystore, Optional<Path> settings)
                throws SettingException, IOException {
            if (keystore.isEmpty() && settings.isEmpty()) {
                return Optional.empty();
            }
            if (keystore.isEmpty() || settings.isEmpty()) {
                throw new SettingException(
                        keystore.isEmpty() ? "jmxKeystore" : "jmxSslFile",
                        "TLS needs a key store and a file that names its password.",
                        "Set both jmxKeystore and jmxSslFile, or neither.");
            }
            checkFile("jmxKeystore", keystore);
            checkFile("jmxSslFile", settings);
            check(keystore.get(), settings.get());
            return Optional.of(new Tls(keystore.get(), settings.get()));
        }

        private static void check(Path keystore, Path settings) throws SettingException, IOException {
            Properties properties = new Properties();
            try (InputStream in = Files.newInputStream(settings)) {
                properties.load(in);
            } catch (IllegalArgumentException e) {
                throw new SettingException(
                        "jmxSslFile", settings + " has a line that cannot be read.", "Correct its escapes.", e);
            }
            if (!KEYSTORE_FILE.equals(properties.getProperty(PLACE)) || properties.getProperty(PASSWORD) == null) {
                throw new SettingException(
                        "jmxSslFile",
                        settings + " does not say which key store the image has, or not its password.",
                        "Give it the lines " + PLACE + "=" + KEYSTORE_FILE + " and " + PASSWORD + "=PASSWORD.");
            }
            try {
                KeyStore.getInstance(
                        keystore.toFile(), properties.getProperty(PASSWORD).toCharArray());
            } catch (IOException | GeneralSecurityException e) {
                throw new SettingException(
                        "jmxKeystore",
                        "The key store " + keystore + " cannot be opened with the password in " + settings + ".",
                        "Correct the password, or make the key store again with keytool.",
                        e);
            }
        }
    }

    /** The module with the JVM's agent. */
    public static final String MODULE = "jdk.management.agent";
    /** In the image, readable by its owner alone, which the agent demands. */
    public static final String PASSWORD_FILE = "/etc/unikernel.jmx.password";
    /** In the image, the same. */
    public static final String ACCESS_FILE = "/etc/unikernel.jmx.access";
    /** In the image, the same. */
    public static final String KEYSTORE_FILE = "/etc/unikernel.jmx.keystore";
    /** In the image, the same. */
    public static final String SSL_FILE = "/etc/unikernel.jmx.ssl";
    /** The module with elliptic curves, which TLS needs up to Java 21. */
    public static final String TLS_MODULE = "jdk.crypto.ec";

    private static final int MAX_PORT = 65535;
    private static final String PROPERTY = "-Dcom.sun.management.jmxremote.";
    private static final Pattern PORT = Pattern.compile(Pattern.quote(PROPERTY) + "(rmi\\.)?port=(\\d{1,5})");
    /** Options with which a user configures the same agent. */
    private static final String DECIDED =
            "-Dcom\\.sun\\.management\\.(jmxremote|config)\\b.*|-XX:\\+ManagementServer|-agentlib:management_agent.*"
                    + "|-Djava\\.rmi\\.server\\.hostname=.*";

    /**
     * Reads and checks the settings by themselves.
     *
     * @param authentication {@code password} or {@code none}
     */
    public static Jmx of(
            int port,
            String hostname,
            String authentication,
            Optional<Path> passwords,
            Optional<Path> access,
            Optional<Tls> tls)
            throws SettingException, IOException {
        if (port < 1 || port > MAX_PORT) {
            throw new SettingException(
                    "jmx", port + " is not a port.", "Give 1 to " + MAX_PORT + ", or leave it out for no JMX.");
        }
        if (!hostname.matches("[A-Za-z0-9.:-]+")) {
            throw new SettingException(
                    "jmxHostname",
                    "'" + hostname + "' is neither a host name nor an address.",
                    "Give the one with which clients reach the guest, such as 127.0.0.1.");
        }
        checkAuthentication(authentication, passwords, access);
        return new Jmx(port, hostname, passwords, access, tls);
    }

    private static void checkAuthentication(String authentication, Optional<Path> passwords, Optional<Path> access)
            throws SettingException, IOException {
        if (!authentication.equals("password") && !authentication.equals("none")) {
            throw new SettingException(
                    "jmxAuthentication",
                    "'" + authentication + "' is not a way to know the users.",
                    "Use 'password' or 'none'.");
        }
        boolean anybody = authentication.equals("none");
        if (anybody && (passwords.isPresent() || access.isPresent())) {
            throw new SettingException(
                    "jmxAuthentication",
                    "With 'none', nobody is asked for a password, and the files for that are not used.",
                    "Leave out jmxPasswordFile and jmxAccessFile, or use 'password'.");
        }
        if (!anybody && passwords.isEmpty()) {
            throw new SettingException(
                    "jmxPasswordFile",
                    "JMX needs a file with passwords, since whoever attaches controls the program.",
                    "Name one with lines such as 'monitorRole PASSWORD', or set jmxAuthentication to 'none' where"
                            + " nobody else reaches the port.");
        }
        checkFile("jmxPasswordFile", passwords);
        checkFile("jmxAccessFile", access);
        checkUsers("jmxPasswordFile", passwords);
        checkUsers("jmxAccessFile", access);
    }

    /** Both are files of properties; with an empty one the agent starts, and lets nobody in. */
    private static void checkUsers(String parameter, Optional<Path> file) throws SettingException, IOException {
        if (file.isEmpty()) {
            return;
        }
        // As java.util.Properties reads a stream.
        List<String> lines =
                FileTrouble.on(file.get(), () -> Files.readAllLines(file.get(), StandardCharsets.ISO_8859_1));
        if (lines.stream().allMatch(line -> line.isBlank() || line.strip().startsWith("#"))) {
            throw new SettingException(
                    parameter,
                    file.get() + " names no user, so that nobody could attach.",
                    "Write a line such as 'monitorRole " + (parameter.equals("jmxAccessFile") ? "readonly" : "PASSWORD")
                            + "' into it.");
        }
    }

    private static void checkFile(String parameter, Optional<Path> file) throws SettingException {
        if (file.isPresent() && !Files.isRegularFile(file.get())) {
            throw new SettingException(
                    parameter, "There is no file " + file.get() + ".", "Create it or correct the path.");
        }
    }

    /**
     * Refuses what the settings do not go with.
     *
     * @param taken ports of the guest that something else listens on, each with the parameter that says so
     */
    public void checkWith(NetworkSetting network, Map<Integer, String> taken, GivenOptions given)
            throws SettingException {
        if (!network.isPresent()) {
            throw new SettingException(
                    "jmx",
                    "Nobody can attach, since the network is 'none'.",
                    "Set network to 'dhcp' or an address, or leave jmx out.");
        }
        if (taken.containsKey(port)) {
            throw new SettingException(
                    "jmx",
                    "Port " + port + " is that of " + taken.get(port) + ".",
                    "Use another port for one of them.");
        }
        Optional<String> other =
                given.all().stream().filter(option -> option.matches(DECIDED)).findFirst();
        if (other.isPresent()) {
            throw new SettingException(
                    "jmx",
                    "The option " + other.get().split("=", 2)[0] + " configures the same agent of the JVM.",
                    "Leave out the option or jmx; jmxHostname is for java.rmi.server.hostname.");
        }
    }

    /** The JVM's options for it. */
    public List<String> jvmArguments() {
        List<String> arguments = new ArrayList<>(List.of(
                PROPERTY + "port=" + port,
                PROPERTY + "rmi.port=" + port,
                "-Djava.rmi.server.hostname=" + hostname,
                PROPERTY + "ssl=" + tls.isPresent(),
                PROPERTY + "authenticate=" + passwords.isPresent()));
        if (passwords.isPresent()) {
            arguments.add(PROPERTY + "password.file=" + PASSWORD_FILE);
            // The image is read-only.
            arguments.add(PROPERTY + "password.toHashes=false");
        }
        if (tls.isPresent()) {
            arguments.add(PROPERTY + "registry.ssl=true");
            arguments.add(PROPERTY + "ssl.config.file=" + SSL_FILE);
        }
        if (access.isPresent()) {
            arguments.add(PROPERTY + "access.file=" + ACCESS_FILE);
        }
        return arguments;
    }

    /** The files by their places in the image. */
    public Map<String, Path> files() {
        Map<String, Path> files = new LinkedHashMap<>();
        passwords.ifPresent(file -> files.put(PASSWORD_FILE, file));
        access.ifPresent(file -> files.put(ACCESS_FILE, file));
        tls.ifPresent(both -> {
            files.put(KEYSTORE_FILE, both.keystore());
            files.put(SSL_FILE, both.settings());
        });
        return files;
    }

    /** The port of an agent that these options of the JVM have listen on one port alone. */
    public static OptionalInt port(List<String> jvmArguments) {
        List<String> ports = jvmArguments.stream()
                .map(PORT::matcher)
                .filter(Matcher::matches)
                .map(option -> option.group(2))
                .toList();
        return ports.size() == 2 && ports.get(0).equals(ports.get(1))
                ? OptionalInt.of(Integer.parseInt(ports.get(0)))
                : OptionalInt.empty();
    }

    /** Where a client on this machine attaches to a port that is forwarded under its own number. */
    public static String serviceUrl(int port) {
        return "service:jmx:rmi:///jndi/rmi://127.0.0.1:" + port + "/jmxrmi";
    }
}
