// SPDX-License-Identifier: Apache-2.0
package example;

import java.io.File;
import org.apache.activemq.artemis.api.core.QueueConfiguration;
import org.apache.activemq.artemis.api.core.RoutingType;
import org.apache.activemq.artemis.api.core.client.ActiveMQClient;
import org.apache.activemq.artemis.api.core.client.ClientConsumer;
import org.apache.activemq.artemis.api.core.client.ClientMessage;
import org.apache.activemq.artemis.api.core.client.ClientProducer;
import org.apache.activemq.artemis.api.core.client.ClientSession;
import org.apache.activemq.artemis.api.core.client.ClientSessionFactory;
import org.apache.activemq.artemis.api.core.client.ServerLocator;
import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.JournalType;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;

/** ActiveMQ Artemis: a broker with a journal in files, and a client over TCP. */
final class Broker {

    private static final String URL = "tcp://127.0.0.1:61616";
    private static final String QUEUE = "orders";
    private static EmbeddedActiveMQ broker;

    private Broker() {
    }

    private static synchronized void start() throws Exception {
        if (broker != null) {
            return;
        }
        Configuration configuration = new ConfigurationImpl()
                .setSecurityEnabled(false)
                .setJournalType(JournalType.NIO)
                .addAcceptorConfiguration("tcp", URL);
        configuration.setBrokerInstance(new File("broker").getAbsoluteFile());
        broker = new EmbeddedActiveMQ().setConfiguration(configuration);
        broker.start();
    }

    /** Half of the messages are left for the next call, which gets them first. */
    static String send(int messages) throws Exception {
        start();
        try (ServerLocator locator = ActiveMQClient.createServerLocator(URL);
                ClientSessionFactory factory = locator.createSessionFactory();
                ClientSession session = factory.createSession()) {
            if (!session.queueQuery(QueueConfiguration.of(QUEUE).getName()).isExists()) {
                session.createQueue(QueueConfiguration.of(QUEUE).setRoutingType(RoutingType.ANYCAST).setDurable(true));
            }
            try (ClientProducer producer = session.createProducer(QUEUE)) {
                for (int i = 0; i < messages; i++) {
                    ClientMessage message = session.createMessage(true);
                    message.getBodyBuffer().writeString("Grüße " + i);
                    producer.send(message);
                }
            }
            session.start();
            long length = 0;
            String last = "";
            try (ClientConsumer consumer = session.createConsumer(QUEUE)) {
                for (int i = 0; i < messages / 2; i++) {
                    ClientMessage message = consumer.receive();
                    last = message.getBodyBuffer().readString();
                    length += last.length();
                    message.acknowledge();
                }
            }
            session.commit();
            return messages / 2 + " received, " + length + " characters, last " + last;
        }
    }
}
