// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.oci;

import com.google.cloud.tools.jib.api.InsecureRegistryException;
import com.google.cloud.tools.jib.api.RegistryAuthenticationFailedException;
import com.google.cloud.tools.jib.api.RegistryUnauthorizedException;
import com.google.cloud.tools.jib.registry.RegistryCredentialsNotSentException;
import io.github.javaunikernel.maven.settings.FileTrouble;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.net.UnknownHostException;
import java.nio.file.FileSystemException;
import java.util.Objects;

/** What a registry refuses to do, in words for the user. */
final class RegistryTrouble {

    private static final String IMAGE = "oci.image";
    private static final String INSECURE = "oci.allowInsecureRegistry";

    private final String registry;
    private final RegistryAccess access;

    RegistryTrouble(String registry, RegistryAccess access) {
        this.registry = registry;
        this.access = access;
    }

    /** The failure with its fix; throws it as it is where it concerns a file of this machine. */
    SettingException of(Exception failure) throws IOException {
        if (failure instanceof FileSystemException ofFile) {
            throw ofFile;
        }
        if (failure instanceof RegistryUnauthorizedException
                || failure instanceof RegistryAuthenticationFailedException) {
            return refused(failure);
        }
        if (failure instanceof RegistryCredentialsNotSentException) {
            return new SettingException(
                    INSECURE,
                    "The registry " + registry + " asks for credentials, and they are not sent over HTTP.",
                    "Let the registry speak HTTPS, or allow it with -DsendCredentialsOverHttp=true.",
                    failure);
        }
        if (failure instanceof InsecureRegistryException) {
            return new SettingException(
                    INSECURE,
                    "The registry " + registry + " does not speak HTTPS with a certificate that Java trusts.",
                    "Add the certificate to Java's trust store, or set the parameter to true.",
                    failure);
        }
        if (failure instanceof IOException unreachable) {
            return new SettingException(
                    IMAGE,
                    "The registry " + registry + " cannot be reached: " + reason(unreachable) + ".",
                    "Correct the name of the image, or try again when the registry is up.",
                    failure);
        }
        return new SettingException(
                IMAGE,
                "The registry " + registry + " does not take the image: " + oneLine(failure) + ".",
                "Correct what it says, or name another registry.",
                failure);
    }

    private SettingException refused(Exception failure) {
        String who = access.login().map(login -> "to " + login).orElse("without credentials");
        return new SettingException(
                IMAGE,
                "The registry " + registry + " does not permit this " + who + ".",
                "Give credentials that may push: a server with the id " + registry + " in settings.xml, or"
                        + " 'docker login " + registry + "'.",
                failure);
    }

    private static String reason(IOException failure) {
        return failure instanceof UnknownHostException ? "there is no such host" : FileTrouble.reason(failure);
    }

    private static String oneLine(Exception failure) {
        return Objects.requireNonNullElse(failure.getMessage(), failure.toString())
                .replaceAll("\\s+", " ")
                .replaceFirst("\\.$", "");
    }
}
