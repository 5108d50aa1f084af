// SPDX-License-Identifier: Apache-2.0
package example;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.command.AbstractCommandSupport;
import org.apache.sshd.server.keyprovider.SimpleGeneratorHostKeyProvider;
import org.apache.sshd.sftp.client.SftpClient;
import org.apache.sshd.sftp.client.SftpClientFactory;
import org.apache.sshd.sftp.server.SftpSubsystemFactory;

/** Apache MINA SSHD: a server and a client of it, in one program. */
final class Shell {

    /** A limit of the client's own, far from what the exchange takes. */
    private static final Duration PATIENCE = Duration.ofMinutes(10);

    private Shell() {
    }

    private static final class Reply extends AbstractCommandSupport {
        Reply(String command) {
            super(command, null);
        }

        @Override
        public void run() {
            try {
                getOutputStream().write(("Reply to " + getCommand() + " for " + getServerSession().getUsername())
                        .getBytes(StandardCharsets.UTF_8));
                onExit(0);
            } catch (IOException e) {
                onExit(1, e.getMessage());
            }
        }
    }

    private static SshServer server() throws IOException {
        SshServer server = SshServer.setUpDefaultServer();
        server.setHost("127.0.0.1");
        server.setKeyPairProvider(new SimpleGeneratorHostKeyProvider(Path.of("host.key")));
        server.setPasswordAuthenticator((user, password, session) -> password.equals("secret"));
        server.setCommandFactory((channel, command) -> new Reply(command));
        server.setSubsystemFactories(List.of(new SftpSubsystemFactory()));
        server.start();
        return server;
    }

    /** A command, a wrong password, and a file there and back by SFTP. */
    static String exchange(int bytes) throws IOException {
        try (SshServer server = server(); SshClient client = SshClient.setUpDefaultClient()) {
            client.start();
            String refused = "accepted";
            try (ClientSession session = connect(client, server, "wrong")) {
                session.auth().verify(PATIENCE);
            } catch (IOException e) {
                refused = "refused";
            }
            try (ClientSession session = connect(client, server, "secret")) {
                session.auth().verify(PATIENCE);
                return refused + ", " + session.executeRemoteCommand("greet") + ", " + transfer(session, bytes);
            }
        }
    }

    private static ClientSession connect(SshClient client, SshServer server, String password) throws IOException {
        ClientSession session =
                client.connect("java", "127.0.0.1", server.getPort()).verify(PATIENCE).getSession();
        session.addPasswordIdentity(password);
        return session;
    }

    private static String transfer(ClientSession session, int bytes) throws IOException {
        byte[] content = new byte[bytes];
        new Random(bytes).nextBytes(content);
        String file = Path.of("transferred").toAbsolutePath().toString();
        try (SftpClient sftp = SftpClientFactory.instance().createSftpClient(session)) {
            try (OutputStream out = sftp.write(file)) {
                out.write(content);
            }
            boolean same = Arrays.equals(content, Files.readAllBytes(Path.of(file)));
            try (InputStream in = sftp.read(file)) {
                same = same && Arrays.equals(content, in.readAllBytes());
            }
            long size = sftp.stat(file).getSize();
            sftp.remove(file);
            return size + " bytes, " + same + ", left " + Files.exists(Path.of(file));
        }
    }
}
