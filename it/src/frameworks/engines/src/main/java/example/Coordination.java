// SPDX-License-Identifier: Apache-2.0
package example;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.ServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;

/** A ZooKeeper server with its log in files, and a client of it. */
final class Coordination {

    private Coordination() {
    }

    /** Makes nodes, of which a watcher hears. */
    static String write(int nodes) throws Exception {
        Path directory = Files.createTempDirectory("zookeeper");
        ServerCnxnFactory factory = new NIOServerCnxnFactory();
        factory.configure(new InetSocketAddress("127.0.0.1", 0), 10);
        factory.startup(new ZooKeeperServer(directory.toFile(), directory.toFile(), 500));
        CountDownLatch connected = new CountDownLatch(1);
        CountDownLatch changed = new CountDownLatch(1);
        try (ZooKeeper client = new ZooKeeper("127.0.0.1:" + factory.getLocalPort(), 30_000, event -> {
            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                connected.countDown();
            }
        })) {
            connected.await();
            client.create("/parent", new byte[0], ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            client.getChildren("/parent", event -> changed.countDown());
            for (int i = 0; i < nodes; i++) {
                client.create("/parent/n-", ("Grüße " + i).getBytes(StandardCharsets.UTF_8),
                        ZooDefs.Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL);
            }
            changed.await();
            String last = client.getChildren("/parent", false).stream().sorted().reduce((a, b) -> b).orElseThrow();
            return client.getChildren("/parent", false).size() + " nodes, the last one "
                    + new String(client.getData("/parent/" + last, false, null), StandardCharsets.UTF_8);
        } finally {
            factory.shutdown();
        }
    }
}
