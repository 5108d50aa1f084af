// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import io.github.javaunikernel.maven.aws.AwsAccess;
import io.github.javaunikernel.maven.aws.CloudException;
import io.github.javaunikernel.maven.aws.CloudLog;
import io.github.javaunikernel.maven.aws.CredentialSource;
import io.github.javaunikernel.maven.aws.HttpProxy;
import io.github.javaunikernel.maven.aws.Regions;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
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

/** The base of all goals on EC2: region, credentials, and the messages of failures. */
abstract class AbstractCloudMojo extends AbstractUnikernelMojo {
    static {
        // Under -X the SDK would log what it signs, session tokens included.
        System.getProperties().putIfAbsent("org.slf4j.simpleLogger.log.software.amazon.awssdk", "info");
    }

    /**
     * Profile in the AWS configuration files from which to take credentials. It may use single sign-on.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.aws.profile")
    private String profile;

    /**
     * ARN of a role to assume with these credentials.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.aws.role")
    private String role;

    /**
     * Id of a server in settings.xml. Its username is the access key and its password, which may be encrypted, is the
     * secret key; its configuration may contain a <code>sessionToken</code>. It takes precedence over the profile.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.aws.server")
    private String server;

    /**
     * Address to use for every AWS service, for tests and private clouds.
     *
     * @since 0.1.0
     */
    @Parameter(property = "unikernel.aws.endpoint")
    private URI endpoint;

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
        void run(AwsAccess access, String account) throws CloudException, MojoExecutionException;
    }

    /** Connects with the chosen credentials, runs the work, and reports failures in the user's terms. */
    final void connected(String region, Work work) throws MojoExecutionException {
        try {
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
        } catch (CloudException e) {
            throw explain(e);
        }
    }

    private AwsAccess access(CredentialSource source) {
        return new AwsAccess(source, Optional.ofNullable(endpoint), proxy(), Duration.ofSeconds(attemptTimeout));
    }

    private CredentialSource credentials() throws MojoExecutionException {
        if (server != null) {
            return fromSettings();
        }
        return profile == null ? CredentialSource.defaultChain() : CredentialSource.profile(profile);
    }

    private CredentialSource fromSettings() throws MojoExecutionException {
        Server found = session.getSettings().getServer(server);
        if (found == null) {
            throw new MojoExecutionException("There is no server \"" + server + "\" in settings.xml: add it, or correct -Dunikernel.aws.server.");
        }
        Server clear = decrypter.decrypt(new DefaultSettingsDecryptionRequest(found)).getServer();
        if (clear.getUsername() == null || clear.getPassword() == null) {
            throw new MojoExecutionException("Server \"" + server + "\" in settings.xml lacks a username (the access key) or password (the secret key): add them.");
        }
        Optional<String> token = Optional.empty();
        if (clear.getConfiguration() instanceof Xpp3Dom configuration && configuration.getChild("sessionToken") != null) {
            token = Optional.ofNullable(configuration.getChild("sessionToken").getValue());
        }
        return CredentialSource.keys("server \"" + server + "\" of settings.xml", clear.getUsername(), clear.getPassword(), token);
    }

    private Optional<HttpProxy> proxy() {
        Proxy active = session.getSettings().getActiveProxy();
        if (active == null) {
            return Optional.empty();
        }
        Proxy clear = decrypter.decrypt(new DefaultSettingsDecryptionRequest(active)).getProxy();
        Set<String> direct = Optional.ofNullable(clear.getNonProxyHosts()).map(hosts -> Arrays.stream(hosts.split("[|,]")).map(String::trim)
                .filter(host -> !host.isEmpty()).collect(Collectors.toSet())).orElse(Set.of());
        return Optional.of(new HttpProxy(Optional.ofNullable(clear.getProtocol()).orElse("http"), clear.getHost(), clear.getPort(),
                Optional.ofNullable(clear.getUsername()), Optional.ofNullable(clear.getPassword()), direct));
    }

    /** The given regions, or the one in the AWS configuration. */
    final List<String> regions(List<String> given, String parameter) throws MojoExecutionException {
        List<String> names = given == null || given.isEmpty() ? List.of(configuredRegion(parameter)) : given.stream().distinct().toList();
        for (String name : names) {
            if (endpoint == null && !Regions.isKnown(name)) {
                throw new MojoExecutionException("There is no AWS region \"" + name + "\": correct -D" + parameter + ".");
            }
        }
        return names;
    }

    private String configuredRegion(String parameter) throws MojoExecutionException {
        try {
            return Regions.configured(Optional.ofNullable(profile));
        } catch (CloudException e) {
            throw new MojoExecutionException("No AWS region is configured: give one with -D" + parameter + ", such as eu-west-1.", e);
        }
    }

    /** The failure as a message that ends with what to do about it. */
    static MojoExecutionException explain(CloudException e) {
        String fix = switch (e.reason()) {
            case CREDENTIALS -> "Log in (aws sso login, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or name the source with -Dunikernel.aws.profile or -Dunikernel.aws.server.";
            case PERMISSION -> "Check that the credentials are current and that their policy allows the call; the manual's EC2 chapter has the whole policy.";
            case REGION -> "Choose other regions with -Dunikernel.ami.regions.";
            case BOOT_LOADER -> "Give the id of a PV-GRUB hd0 kernel image with -Dunikernel.ami.kernelId.";
            case NAME -> "Change -Dunikernel.ami.name, or set -Dunikernel.ami.duplicateName to REUSE or REPLACE.";
            case IMAGE -> "Run the package phase first, or correct -Dunikernel.ami.image.";
            case SETTING -> "Correct the setting and run again.";
            case DEADLINE -> "Give it more time with -Dunikernel.ami.timeout (-Dunikernel.launch.timeout for an instance), or look at the network.";
            case SERVICE -> "See the service's message; if the problem is temporary, run again.";
            case BUSY -> "Wait for the other deploy to end.";
            case INTERRUPTED -> "Run again when ready.";
        };
        return new MojoExecutionException(e.getMessage() + " " + fix, e);
    }
}
