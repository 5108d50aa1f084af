// SPDX-License-Identifier: Apache-2.0
package example;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpRequest;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.InsecureTrustManagerFactory;
import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyStore;
import java.util.function.Consumer;
import javax.net.ssl.KeyManagerFactory;

public final class Main extends SimpleChannelInboundHandler<FullHttpRequest> {

    private static final int PORT = Integer.getInteger("port", 8080);

    private Main() {
    }

    public static void main(String[] arguments) throws Exception {
        OpenSsl.ensureAvailability();
        SslContext tls = SslContextBuilder.forServer(keys()).sslProvider(SslProvider.OPENSSL).build();
        EventLoopGroup group = new MultiThreadIoEventLoopGroup(EpollIoHandler.newFactory());
        new ServerBootstrap().group(group).channel(EpollServerSocketChannel.class)
                .option(EpollChannelOption.SO_REUSEPORT, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(EpollChannelOption.TCP_KEEPIDLE, 60)
                .childOption(EpollChannelOption.TCP_NOTSENT_LOWAT, 131072L)
                .childOption(EpollChannelOption.TCP_USER_TIMEOUT, 30000)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) {
                        channel.pipeline().addLast(tls.newHandler(channel.alloc()), new HttpServerCodec(),
                                new HttpObjectAggregator(1 << 20), new Main());
                    }
                }).bind(PORT).sync().channel().closeFuture().sync();
    }

    private static KeyManagerFactory keys() throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (var in = Main.class.getResourceAsStream("/localhost.p12")) {
            store.load(in, "secret".toCharArray());
        }
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, "secret".toCharArray());
        return keys;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) throws Exception {
        if (request.uri().equals("/families")) {
            askFamily(context, "127.0.0.1", first ->
                    askFamily(context, "::1", second -> answer(context, first + " " + second)));
            return;
        }
        answer(context, switch (request.uri()) {
            case "/family" -> ((InetSocketAddress) context.channel().remoteAddress()).getAddress()
                    instanceof Inet6Address ? "IPv6" : "IPv4";
            case "/tls" -> context.pipeline().get(SslHandler.class).engine().getClass().getSimpleName() + " "
                    + context.channel().getClass().getSimpleName();
            case "/large" -> "0123456789abcdef".repeat(50_000);
            default -> "Hello";
        });
    }

    /** As its own client, in the event loop of the connection that asks: what the server takes the client for. */
    private static void askFamily(ChannelHandlerContext context, String address, Consumer<String> use) {
        SimpleChannelInboundHandler<FullHttpResponse> reader = new SimpleChannelInboundHandler<>() {
            @Override
            protected void channelRead0(ChannelHandlerContext client, FullHttpResponse response) {
                use.accept(response.content().toString(StandardCharsets.UTF_8));
                client.close();
            }

            @Override
            public void exceptionCaught(ChannelHandlerContext client, Throwable cause) {
                use.accept(address + ": " + cause);
                client.close();
            }
        };
        new Bootstrap().group(context.channel().eventLoop()).channel(EpollSocketChannel.class)
                .handler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel channel) throws Exception {
                        SslContext tls = SslContextBuilder.forClient().sslProvider(SslProvider.OPENSSL)
                                .endpointIdentificationAlgorithm(null)
                                .trustManager(InsecureTrustManagerFactory.INSTANCE).build();
                        channel.pipeline().addLast(tls.newHandler(channel.alloc()), new HttpClientCodec(),
                                new HttpObjectAggregator(1 << 20), reader);
                    }
                }).connect(address, PORT).addListener(connected -> {
                    if (!connected.isSuccess()) {
                        use.accept(address + ": " + connected.cause());
                        return;
                    }
                    var request = new DefaultFullHttpRequest(HttpVersion.HTTP_1_1, HttpMethod.GET, "/family");
                    request.headers().set(HttpHeaderNames.HOST, "localhost");
                    ((ChannelFuture) connected).channel().writeAndFlush(request);
                });
    }

    private static void answer(ChannelHandlerContext context, String text) {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        var response = new DefaultFullHttpResponse(
                HttpVersion.HTTP_1_1, HttpResponseStatus.OK, Unpooled.wrappedBuffer(body));
        response.headers().set(HttpHeaderNames.CONTENT_LENGTH, body.length);
        response.headers().set(HttpHeaderNames.CONTENT_TYPE, "text/plain");
        context.writeAndFlush(response);
    }
}
