// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.aws.CloudException.Reason;
import io.github.javaunikernel.maven.aws.fake.FakeAws;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the user reads when something is wrong: what, where, and what to do. */
class ErrorTextsTest {
    private static final String STATE = " [parameter stateDirectory, -Dunikernel.ami.stateDirectory] ";

    @TempDir
    Path directory;

    private static String text(Executable executable) {
        return assertThrows(CloudException.class, executable).getMessage();
    }

    private static AwsAccess access(String endpoint, Optional<HttpProxy> proxy) throws CloudException {
        CredentialSource keys = CredentialSource.keys("test", FakeAws.ACCESS_KEY, FakeAws.SECRET_KEY, Optional.empty());
        return new AwsAccess(keys, Optional.of(URI.create(endpoint)), proxy, Duration.ofSeconds(5));
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost:4566", "/tmp", "ftp://localhost", "http:///"})
    void anEndpointThatIsNone(String endpoint) {
        assertEquals(
                "\"" + endpoint + "\" is not the address of a service. [parameter endpoint,"
                        + " -Dunikernel.aws.endpoint]"
                        + " Give one such as http://127.0.0.1:4566.",
                text(() -> access(endpoint, Optional.empty())));
    }

    @Test
    void aProxyThatIsNone() {
        HttpProxy proxy = new HttpProxy("http", "not a host", 8080, Optional.empty(), Optional.empty(), Set.of());
        assertEquals(
                "The active proxy of settings.xml has no usable address: http://not a host:8080. Correct its"
                        + " protocol, host and port there.",
                text(() -> access("http://127.0.0.1:1", Optional.of(proxy))));
    }

    /** Plain requests get the answer themselves; those with TLS do not get their tunnel. */
    @ParameterizedTest
    @ValueSource(strings = {"http", "https"})
    void aProxyThatWantsAPassword(String scheme) throws Exception {
        try (ServerSocket listening = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
            Thread proxy = new Thread(() -> refuse(listening), "proxy");
            proxy.start();
            HttpProxy used = new HttpProxy(
                    "http", "127.0.0.1", listening.getLocalPort(), Optional.empty(), Optional.empty(), Set.of());
            try (AwsAccess access = access(scheme + "://ec2.example.com", Optional.of(used))) {
                Retrier retrier = new Retrier(Deadline.in(Duration.ofHours(1)), new Deployments.Recorder());
                assertEquals(
                        "Could not list images: the proxy of settings.xml does not let the request through. Give the"
                                + " active proxy there the username and password that it wants, or ask who runs it.",
                        text(() -> retrier.call(
                                "list images", () -> access.ec2("eu-west-1").describeImages())));
            }
            listening.close();
            proxy.join();
        }
    }

    /** Answers each connection as a proxy without the right password does, until it no longer listens. */
    private static void refuse(ServerSocket listening) {
        while (!listening.isClosed()) {
            try (Socket client = listening.accept()) {
                BufferedReader request = new BufferedReader(new InputStreamReader(client.getInputStream()));
                for (String line = request.readLine(); line != null && !line.isEmpty(); line = request.readLine()) {
                    continue;
                }
                client.getOutputStream()
                        .write(("HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic"
                                        + " realm=\"test\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                                .getBytes(StandardCharsets.US_ASCII));
            } catch (IOException e) {
                if (!listening.isClosed()) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }

    @Test
    void nothingAtTheEndpoint() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        try (AwsAccess access = access("http://127.0.0.1:" + port, Optional.empty())) {
            Retrier retrier = new Retrier(Deadline.in(Duration.ofMillis(300)), new Deployments.Recorder());
            String text = text(() ->
                    retrier.call("list images", () -> access.ec2("eu-west-1").describeImages()));
            assertTrue(
                    text.matches("(Could not list images: nothing accepts the connection( \\(after \\d+"
                            + " attempts\\))?\\."
                            + "|No time left to list images\\.) Give it more time with .*"),
                    text);
        }
    }

    @Test
    void aProfileThatThereIsNot() throws Exception {
        CredentialSource profile = CredentialSource.profile("none-of-this-name");
        try (AwsAccess access = new AwsAccess(
                profile, Optional.of(URI.create("http://127.0.0.1:1")), Optional.empty(), Duration.ofSeconds(5))) {
            assertEquals(
                    "There are no usable AWS credentials in profile \"none-of-this-name\". [parameter profile,"
                            + " -Dunikernel.aws.profile]"
                            + " Log in (aws sso login, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), or name the"
                            + " source with"
                            + " -Dunikernel.aws.profile or -Dunikernel.aws.server.",
                    text(() -> profile.identify(access, "eu-west-1", new Deployments.Recorder())));
        }
    }

    @Test
    void anImageThatCannotBeRead() {
        assertEquals(
                "The image " + directory.resolve("none.img")
                        + " cannot be read: it does not exist, or its directory does not."
                        + " [parameter image, -Dunikernel.ami.image] Run the package phase first, or correct the path.",
                text(() -> DiskImage.read(directory.resolve("none.img"))));
        assertEquals(
                "The image " + directory + " cannot be read: it is a directory."
                        + " [parameter image, -Dunikernel.ami.image] Run the package phase first, or correct the path.",
                text(() -> DiskImage.read(directory)));
    }

    @Test
    void aStateDirectoryThatIsAFile() throws IOException {
        Path file = Files.writeString(directory.resolve("state"), "");
        assertEquals(
                "The record of uploads " + file.resolve("upload.journal")
                        + " cannot be written: a file is where a directory should be."
                        + STATE + "Make the directory writable, or name another one.",
                text(() -> UploadJournal.open(file.resolve("upload.journal"))));
    }

    @Test
    void aJournalThatIsNone() throws IOException {
        Path file = Files.writeString(directory.resolve("upload.journal"), "upload t i -\nnonsense\n");
        assertEquals(
                "The record of uploads " + file + " has a line that this version did not write: \"nonsense\"."
                        + STATE
                        + "Delete the file, and the snapshot that it names if EC2 still has it.",
                text(() -> UploadJournal.open(file)));
    }

    @Test
    void aDiskThatIsFull() {
        LaunchRecord record = new LaunchRecord("eu-west-1", "ami-1", null, "t1.micro", List.of());
        assertEquals(
                "The record of the launch /dev/full cannot be written: the disk is full. Make the directory"
                        + " writable.",
                text(() -> record.save(Path.of("/dev/full"))));
    }

    @Test
    void certificatesAndKeysThatAreNone() throws IOException {
        Path text = Files.writeString(
                directory.resolve("text"), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
        Path none = directory.resolve("none");
        assertEquals(
                "The certificate " + none + " cannot be read: it does not exist, or its directory does not."
                        + " [parameter ec2Certificate, -Dunikernel.bundle.ec2Certificate] Correct the path.",
                text(() -> BundleKeys.read(none, none, none)));
        assertEquals(
                text + " is not an X.509 certificate in PEM format. [parameter ec2Certificate,"
                        + " -Dunikernel.bundle.ec2Certificate]"
                        + " Name a file with one.",
                text(() -> BundleKeys.read(text, none, none)));
    }

    @Test
    void aFaultOfTheProgramIsNotPassedOnAsText() {
        CloudException failure = CloudException.of(new IllegalStateException("index 3"), "Sending blocks");
        assertEquals(
                "Sending blocks ended with a fault of the plugin. Run again with -X and report what it prints"
                        + " about the fault.",
                failure.getMessage());
        assertEquals(Reason.SERVICE, failure.reason());
    }
}
