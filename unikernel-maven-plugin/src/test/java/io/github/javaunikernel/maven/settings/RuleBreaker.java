// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.settings;

import com.google.cloud.tools.jib.api.Credential;
import io.github.javaunikernel.maven.boot.NetworkSetting;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.logging.Logger;
import java.util.zip.ZipFile;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.maven.plugin.logging.Log;
import org.codehaus.plexus.util.MatchPatterns;
import software.amazon.awssdk.core.exception.SdkException;

/** Breaks each rule of LayersTest and ErrorsTest, so that tests can see that it is found. Nothing calls it. */
final class RuleBreaker {

    private RuleBreaker() {}

    static boolean usesAPackageAbove(NetworkSetting network) {
        return network.isPresent();
    }

    static void prints() {
        System.out.println();
    }

    static void printsAStackTrace(IOException failure) {
        failure.printStackTrace();
    }

    static void logs() {
        Logger.getGlobal().info("");
    }

    static void knowsMaven(Log log) {
        log.info("");
    }

    static String knowsTheSdk(SdkException failure) {
        return failure.getMessage();
    }

    static String knowsJib(Credential credential) {
        return credential.getUsername();
    }

    static boolean matchesPatterns(MatchPatterns patterns) {
        return patterns.matches("", true);
    }

    static String readsAnArchive(TarArchiveEntry entry) {
        return entry.getName();
    }

    static IOException failsWithoutAFix() {
        return new IOException("it failed");
    }

    static ZipFile opensAJar(File jar) throws IOException {
        return new ZipFile(jar);
    }

    static Process runsAProgram() throws IOException {
        return new ProcessBuilder("true").start();
    }

    static Path writesAFile(Path file) throws IOException {
        return Files.writeString(file, "");
    }
}
