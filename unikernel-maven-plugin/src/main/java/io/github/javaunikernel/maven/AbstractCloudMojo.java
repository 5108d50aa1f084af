// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.AwsAccess;
import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.CloudLog;
import io.github.javaunikernel.maven.aws.CloudSetting;
import io.github.javaunikernel.maven.aws.CredentialSource;
import io.github.javaunikernel.maven.aws.Form;
import io.github.javaunikernel.maven.aws.HttpProxy;
import io.github.javaunikernel.maven.aws.Regions;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugins.annotations.Component;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.settings.Proxy;
import org.apache.maven.settings.Server;
import org.apache.maven.settings.crypto.DefaultSettingsDecryptionRequest;
import org.apache.maven.settings.crypto.SettingsDecrypter;
import org.codehaus.plexus.util.xml.Xpp3Dom;
import org.eclipse.aether.RepositorySystem;

/** The base of all goals on EC2: the project, region and credentials, and the messages of failures. */
abstract class AbstractCloudMojo extends AbstractImageFilesMojo {

    /** The group of the SDK's libraries. */
    static final String SDK = "software.amazon.awssdk";

    /** Of EC2, in characters. */
    private static final int MAX_TAG_KEY = 128;

    private static final int MAX_TAG_VALUE = 256;

    static {
        // Under -X the SDK would log what it signs, session tokens included.
        System.getProperties().putIfAbsent("org.slf4j.simpleLogger.log." + SDK, "info");
    }

    /**
     * Profile in the AWS configuration files from which to take credentials, such as {@code work}. It may use single
     * sign-on.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.aws.profile")
    private String profile;

    /**
     * ARN of a role to assume with these credentials, such as {@code arn:aws:iam::123456789012:role/deploy}.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.aws.role")
    private String role;

    /**
     * Id of a server in settings.xml, such as {@code aws}. Its username is the access key and its password, which may
     * be encrypted, is the secret key; its configuration may contain a {@code sessionToken}. It takes precedence over
     * the profile.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.aws.server")
    private String server;

    /**
     * Address to use for every AWS service, for tests and private clouds, such as {@code http://127.0.0.1:4566}. Its
     * regions have names like those of AWS.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.aws.endpoint")
    private String endpoint;

    /**
     * Maximum time for one attempt of one call, in seconds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.aws.attemptTimeout", defaultValue = "20")
    private int attemptTimeout;

    @Parameter(defaultValue = "${session}", readonly = true, required = true)
    MavenSession session;

    @Component
    private SettingsDecrypter decrypter;

    @Component
    private RepositorySystem repositories;

    final CloudLog log = new CloudLog() {
        @Override
        public void info(String line) {
            getLog().info(line);
        }

        @Override
        public void warn(String line) {
            getLog().warn(line);
        }

        @Override
        public void debug(String line) {
            getLog().debug(line);
        }
    };

    /** One goal's work while the connection is open. */
    interface Work {
        /** @param account 12-digit id of the account that the credentials belong to */
        void run(AwsAccess access, String account) throws CloudException;
    }

    @Override
    protected final void run() throws SettingException, IOException, MojoExecutionException {
        new LibrariesOnUse(repositories, session, project).add(mojoExecution, libraries());
        try {
            work();
        } catch (CloudException e) {
            // Maven appends the message of each cause to that of the failure, so the cause is only logged.
            getLog().debug("What led to the failure of the goal:", e);
            throw new MojoExecutionException(e.getMessage());
        }
    }

    /** The groups of the libraries that the goal uses. */
    Set<String> libraries() {
        return Set.of(SDK);
    }

    /** Does the work of the goal. */
    abstract void work() throws CloudException, SettingException, IOException;

    /** Connects with the chosen credentials and runs the work. */
    final void connected(String region, Work work) throws CloudException {
        Form.ROLE.checkedIfGiven(CloudSetting.ROLE, role);
        CredentialSource own = credentials();
        try (AwsAccess access = access(own)) {
            if (role == null) {
                work.run(access, own.identify(access, region, log));
                return;
            }
            CredentialSource assumed = own.assumeRole(access, region, role);
            try (AwsAccess asRole = access(assumed)) {
                work.run(asRole, assumed.identify(asRole, region, log));
            }
        }
    }

    /** The tag of machine images and instances: the project, and the classifier if the image has one. */
    final String deployedProject() {
        return project.getGroupId() + ":" + project.getArtifactId() + (classifier() == null ? "" : ":" + classifier());
    }

    /** The values of the placeholders that the name of every machine image may contain. */
    final Map<String, Supplier<String>> placeholders() {
        return Map.of(
                "groupId", project::getGroupId,
                "artifactId", project::getArtifactId,
                "version", project::getVersion,
                "classifier", () -> classifier() == null ? "" : "-" + classifier());
    }

    private AwsAccess access(CredentialSource source) throws CloudException {
        if (attemptTimeout < 1) {
            throw new CloudException(
                    CloudSetting.ATTEMPT_TIMEOUT,
                    attemptTimeout + " seconds is too short a time for an attempt.",
                    "Give 1 or more.");
        }
        return new AwsAccess(source, endpoint(), proxy(), Duration.ofSeconds(attemptTimeout));
    }

    private Optional<URI> endpoint() throws CloudException {
        try {
            return endpoint == null ? Optional.empty() : Optional.of(new URI(endpoint));
        } catch (URISyntaxException e) {
            throw AwsAccess.notAnEndpoint(endpoint);
        }
    }

    private CredentialSource credentials() throws CloudException {
        if (server != null) {
            return fromSettings();
        }
        return profile == null ? CredentialSource.defaultChain() : CredentialSource.profile(profile);
    }

    private CredentialSource fromSettings() throws CloudException {
        Server found = session.getSettings().getServer(server);
        if (found == null) {
            throw new CloudException(
                    CloudSetting.SERVER,
                    "There is no server \"" + server + "\" in settings.xml.",
                    "Add it there, or correct the name.");
        }
        Server clear =
                decrypter.decrypt(new DefaultSettingsDecryptionRequest(found)).getServer();
        if (clear.getUsername() == null || clear.getPassword() == null) {
            throw new CloudException(
                    CloudSetting.SERVER,
                    "Server \"" + server
                            + "\" in settings.xml lacks a username (the access key) or a password"
                            + " (the secret key).",
                    "Add what is missing.");
        }
        Optional<String> token = Optional.empty();
        if (clear.getConfiguration() instanceof Xpp3Dom configuration
                && configuration.getChild("sessionToken") != null) {
            token = Optional.ofNullable(configuration.getChild("sessionToken").getValue());
        }
        return CredentialSource.keys(
                "server \"" + server + "\" of settings.xml", clear.getUsername(), clear.getPassword(), token);
    }

    private Optional<HttpProxy> proxy() {
        Proxy active = session.getSettings().getActiveProxy();
        if (active == null) {
            return Optional.empty();
        }
        Proxy clear =
                decrypter.decrypt(new DefaultSettingsDecryptionRequest(active)).getProxy();
        Set<String> direct = Optional.ofNullable(clear.getNonProxyHosts())
                .map(hosts -> Arrays.stream(hosts.split("[|,]"))
                        .map(String::trim)
                        .filter(host -> !host.isEmpty())
                        .collect(Collectors.toSet()))
                .orElse(Set.of());
        return Optional.of(new HttpProxy(
                Optional.ofNullable(clear.getProtocol()).orElse("http"),
                clear.getHost(),
                clear.getPort(),
                Optional.ofNullable(clear.getUsername()),
                Optional.ofNullable(clear.getPassword()),
                direct));
    }

    /** A limit of a goal in seconds, as its parameter gives it. */
    static Duration limit(CloudSetting setting, int seconds) throws CloudException {
        if (seconds < 1) {
            throw new CloudException(setting, seconds + " seconds is too short a time to wait.", "Give 1 or more.");
        }
        return Duration.ofSeconds(seconds);
    }

    /** Tags that EC2 takes; there are none where the parameter is left out. */
    static Map<String, String> checkedTags(Map<String, String> tags) throws CloudException {
        Map<String, String> checked = new HashMap<>();
        for (Map.Entry<String, String> tag : orEmpty(tags).entrySet()) {
            // Maven passes an empty element of the POM as null.
            String value = Objects.requireNonNullElse(tag.getValue(), "");
            boolean reserved = tag.getKey().startsWith("aws:") || tag.getKey().startsWith("unikernel:");
            boolean control = value.chars().anyMatch(Character::isISOControl);
            if (reserved || control || tag.getKey().length() > MAX_TAG_KEY || value.length() > MAX_TAG_VALUE) {
                throw new CloudException(
                        CloudSetting.TAGS,
                        "\"" + tag.getKey() + "\" cannot be a tag with the value \"" + value + "\".",
                        "Use a key of at most " + MAX_TAG_KEY + " characters that does not begin with aws: or"
                                + " unikernel:, and a value of at most " + MAX_TAG_VALUE
                                + " without line breaks and other control characters.");
            }
            checked.put(tag.getKey(), value);
        }
        return checked;
    }

    /** The given regions, or the one in the AWS configuration. */
    final List<String> regions(List<String> given, CloudSetting setting) throws CloudException {
        List<String> names = given == null || given.isEmpty()
                ? List.of(configuredRegion(setting))
                : Form.REGION.allChecked(setting, given);
        for (String name : names) {
            if (endpoint == null && !Regions.isKnown(name)) {
                throw new CloudException(setting, "There is no AWS region \"" + name + "\".", "Correct the name.");
            }
        }
        return names;
    }

    private String configuredRegion(CloudSetting setting) throws CloudException {
        return Regions.configured(Optional.ofNullable(profile))
                .orElseThrow(() -> new CloudException(
                        setting,
                        "No region is named, and none is in the AWS configuration.",
                        "Name one, such as eu-west-1."));
    }

    static <T> List<T> orEmpty(List<T> list) {
        return list == null ? List.of() : list;
    }

    static <T> Map<String, T> orEmpty(Map<String, T> map) {
        return map == null ? Map.of() : map;
    }
}
