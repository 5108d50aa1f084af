// SPDX-License-Identifier: Apache-2.0
package example;

import com.hazelcast.config.Config;
import com.hazelcast.core.Hazelcast;
import com.hazelcast.core.HazelcastInstance;
import com.hazelcast.map.IMap;
import com.hazelcast.query.Predicates;

/** Two Hazelcast members of one program, joined over TCP. */
final class Grid {

    private Grid() {
    }

    private static Config config() {
        Config config = new Config();
        config.setClusterName("example");
        config.getNetworkConfig().setPort(5701).setPortAutoIncrement(true);
        config.getNetworkConfig().getInterfaces().setEnabled(true).addInterface("127.0.0.1");
        config.getNetworkConfig().getJoin().getMulticastConfig().setEnabled(false);
        config.getNetworkConfig().getJoin().getTcpIpConfig().setEnabled(true).addMember("127.0.0.1:5701")
                .addMember("127.0.0.1:5702");
        config.setProperty("hazelcast.phone.home.enabled", "false");
        return config;
    }

    static String put(int entries) {
        HazelcastInstance one = Hazelcast.newHazelcastInstance(config());
        HazelcastInstance two = Hazelcast.newHazelcastInstance(config());
        try {
            IMap<Integer, String> map = one.getMap("texts");
            for (int i = 0; i < entries; i++) {
                map.put(i, "text " + i % 10);
            }
            IMap<Integer, String> seen = two.getMap("texts");
            return one.getCluster().getMembers().size() + " members, " + seen.size() + " entries, "
                    + seen.values(Predicates.like("this", "% 7")).size() + " of 7";
        } finally {
            two.shutdown();
            one.shutdown();
        }
    }
}
