// SPDX-License-Identifier: Apache-2.0
package example;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.eclipse.jetty.alpn.server.ALPNServerConnectionFactory;
import org.eclipse.jetty.http2.server.HTTP2ServerConnectionFactory;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;

/** What the client talks to: HTTP/1.1 and HTTP/2 over TLS, on loopback. */
public final class Server extends Handler.Abstract {

    private static final int CHUNKS = 20;

    private Server() {
    }

    public static void main(String[] arguments) throws Exception {
        org.eclipse.jetty.server.Server server = new org.eclipse.jetty.server.Server();
        ALPNServerConnectionFactory alpn = new ALPNServerConnectionFactory();
        alpn.setDefaultProtocol("http/1.1");
        SslContextFactory.Server tls = new SslContextFactory.Server();
        tls.setKeyStore(Keys.store());
        tls.setKeyStorePassword(Keys.PASSWORD);
        HttpConfiguration configuration = new HttpConfiguration();
        configuration.setSendServerVersion(false);
        ServerConnector connector = new ServerConnector(server, new SslConnectionFactory(tls, "alpn"), alpn,
                new HTTP2ServerConnectionFactory(configuration), new HttpConnectionFactory(configuration));
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.getInteger("port"));
        connector.setIdleTimeout(3_600_000);
        server.addConnector(connector);
        WebSocketUpgradeHandler sockets = WebSocketUpgradeHandler.from(server,
                container -> container.addMapping("/socket", (request, response, callback) -> new Echo()));
        sockets.setHandler(new Server());
        server.setHandler(sockets);
        server.start();
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        response.getHeaders().put("Content-Type", "text/plain; charset=utf-8");
        switch (Request.getPathInContext(request)) {
            case "/hello" -> Content.Sink.write(response, true,
                    "Grüße by " + request.getConnectionMetaData().getProtocol(), callback);
            case "/large" -> response.write(true, ByteBuffer.wrap(Keys.content()), callback);
            case "/digest" -> {
                byte[] content = Content.Source.asInputStream(request).readAllBytes();
                byte[] digest = MessageDigest.getInstance("SHA-256").digest(content);
                Content.Sink.write(response, true, HexFormat.of().formatHex(digest), callback);
            }
            case "/chunks" -> {
                for (int i = 0; i < CHUNKS; i++) {
                    byte[] piece = ("piece " + i + "\n").getBytes(StandardCharsets.US_ASCII);
                    Content.Sink.write(response, false, ByteBuffer.wrap(piece));
                    Thread.sleep(20);
                }
                response.write(true, null, callback);
            }
            case "/redirect" -> Response.sendRedirect(request, response, callback, "/hello");
            case "/connection" -> Content.Sink.write(response, true,
                    Integer.toString(Request.getRemotePort(request)), callback);
            case "/silence" -> { }
            default -> {
                return false;
            }
        }
        return true;
    }

    public static final class Echo extends Session.Listener.AbstractAutoDemanding {
        @Override
        public void onWebSocketText(String message) {
            getSession().sendText("echo " + message, org.eclipse.jetty.websocket.api.Callback.NOOP);
        }
    }
}
