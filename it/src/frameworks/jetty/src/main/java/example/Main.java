// SPDX-License-Identifier: Apache-2.0
package example;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import org.eclipse.jetty.alpn.server.ALPNServerConnectionFactory;
import org.eclipse.jetty.http2.server.HTTP2ServerConnectionFactory;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.websocket.api.Session;
import org.eclipse.jetty.websocket.server.WebSocketUpgradeHandler;

public final class Main extends Handler.Abstract {

    private Main() {
    }

    public static void main(String[] arguments) throws Exception {
        Server server = new Server();
        HttpConfiguration configuration = new HttpConfiguration();
        configuration.addCustomizer(new SecureRequestCustomizer(false));
        ALPNServerConnectionFactory alpn = new ALPNServerConnectionFactory();
        alpn.setDefaultProtocol("http/1.1");
        SslContextFactory.Server tls = new SslContextFactory.Server();
        tls.setKeyStore(keyStore());
        tls.setKeyStorePassword("secret");
        ServerConnector connector = new ServerConnector(server, new SslConnectionFactory(tls, "alpn"), alpn,
                new HTTP2ServerConnectionFactory(configuration), new HttpConnectionFactory(configuration));
        connector.setPort(Integer.getInteger("port", 8080));
        server.addConnector(connector);
        WebSocketUpgradeHandler sockets = WebSocketUpgradeHandler.from(server,
                container -> container.addMapping("/socket", (request, response, callback) -> new Echo()));
        sockets.setHandler(new Main());
        server.setHandler(sockets);
        server.start();
    }

    private static KeyStore keyStore() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (var in = Main.class.getResourceAsStream("/localhost.p12")) {
            store.load(in, "secret".toCharArray());
        }
        return store;
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) throws Exception {
        response.getHeaders().put("Content-Type", "text/plain; charset=utf-8");
        switch (Request.getPathInContext(request)) {
            case "/hello" -> Content.Sink.write(
                    response, true, "Hello by " + request.getConnectionMetaData().getProtocol(), callback);
            case "/large" -> response.write(true, ByteBuffer.wrap("0123456789abcdef".repeat(50_000)
                    .getBytes(StandardCharsets.US_ASCII)), callback);
            case "/echo" -> Content.copy(request, response, callback);
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
