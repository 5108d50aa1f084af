// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Where a user keeps what gives access to the cloud: settings.xml and the files of the AWS command line. */
final class CloudFiles {

    private static final String SESSION = "company";

    private final Path directory;
    private final Map<String, String> environment = new HashMap<>();
    private String servers = "";
    private String proxies = "";

    CloudFiles(Path directory) throws IOException {
        this.directory = directory;
        environment.put("AWS_CONFIG_FILE", directory.resolve("config").toString());
        environment.put(
                "AWS_SHARED_CREDENTIALS_FILE", directory.resolve("credentials").toString());
        environment.put("HOME", directory.toString());
        Files.writeString(security(), "<settingsSecurity/>");
        writeSettings();
    }

    /** What makes a build find the files of the AWS command line. */
    Map<String, String> environment() {
        return Map.copyOf(environment);
    }

    /** To be given as global settings: those of the user stay in force. */
    Path settings() {
        return directory.resolve("settings.xml");
    }

    Path security() {
        return directory.resolve("settings-security.xml");
    }

    /** A server {@code cloud} whose password is encrypted, as Maven's guide to encryption says. */
    void settings(String masterPassword, String accessKey, String secretKey) throws IOException, InterruptedException {
        String master = encrypted(Maven.run(directory, Map.of(), "--encrypt-master-password", masterPassword));
        Files.writeString(security(), "<settingsSecurity><master>" + master + "</master></settingsSecurity>");
        String password = encrypted(
                Maven.run(directory, Map.of(), "-Dsettings.security=" + security(), "--encrypt-password", secretKey));
        servers = "<server><id>cloud</id><username>" + accessKey + "</username><password>" + password
                + "</password></server>";
        writeSettings();
    }

    /** Maven prints what it encrypted in braces. */
    private static String encrypted(String output) {
        Matcher matcher = Pattern.compile("\\{[^}]+}").matcher(output);
        if (!matcher.find()) {
            throw new AssertionError("Maven encrypted nothing: " + output);
        }
        return matcher.group();
    }

    /** A profile {@code work} with keys. */
    void profile(String accessKey, String secretKey) throws IOException {
        Files.writeString(
                directory.resolve("credentials"),
                "[work]\naws_access_key_id=" + accessKey + "\naws_secret_access_key=" + secretKey + "\n");
    }

    /** A profile {@code sso} for which the user has logged in; the token is where the AWS command line puts it. */
    void singleSignOn(SingleSignOn service) throws IOException {
        Files.writeString(directory.resolve("config"), """
                [profile sso]
                sso_session = %s
                sso_account_id = %s
                sso_role_name = %s
                [sso-session %1$s]
                sso_region = eu-west-1
                sso_start_url = https://company.example/start
                """.formatted(SESSION, SingleSignOn.ACCOUNT, SingleSignOn.ROLE));
        Path cache = Files.createDirectories(directory.resolve(".aws/sso/cache"));
        Files.writeString(cache.resolve(sha1(SESSION) + ".json"), """
                {"startUrl": "https://company.example/start", "region": "eu-west-1", "accessToken": "%s", \
                "expiresAt": "2099-01-01T00:00:00Z"}
                """.formatted(SingleSignOn.TOKEN));
        environment.put("AWS_ENDPOINT_URL_SSO", service.endpoint());
    }

    private static String sha1(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    void proxy(int port, String user, String password) throws IOException {
        proxies = "<proxy><id>proxy</id><active>true</active><protocol>http</protocol><host>127.0.0.1</host><port>"
                + port + "</port><username>" + user + "</username><password>" + password + "</password></proxy>";
        writeSettings();
    }

    void withoutProxy() throws IOException {
        proxies = "";
        writeSettings();
    }

    private void writeSettings() throws IOException {
        Files.writeString(
                settings(),
                "<settings><servers>" + servers + "</servers><proxies>" + proxies + "</proxies></settings>");
    }
}
