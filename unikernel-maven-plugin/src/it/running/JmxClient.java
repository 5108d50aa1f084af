// SPDX-License-Identifier: Apache-2.0
import java.util.HashMap;
import java.util.Map;
import javax.management.ObjectName;
import javax.management.remote.JMXConnector;
import javax.management.remote.JMXConnectorFactory;
import javax.management.remote.JMXServiceURL;
import javax.rmi.ssl.SslRMIClientSocketFactory;

/** Attaches to a JVM and prints its name: {@code JmxClient.java URL tls|plain USER PASSWORD}. */
final class JmxClient {

    private JmxClient() {}

    public static void main(String[] arguments) throws Exception {
        Map<String, Object> environment = new HashMap<>();
        environment.put(JMXConnector.CREDENTIALS, new String[] {arguments[2], arguments[3]});
        if (arguments[1].equals("tls")) {
            environment.put("com.sun.jndi.rmi.factory.socket", new SslRMIClientSocketFactory());
        }
        try (JMXConnector connector = JMXConnectorFactory.connect(new JMXServiceURL(arguments[0]), environment)) {
            System.out.println(connector
                    .getMBeanServerConnection()
                    .getAttribute(new ObjectName("java.lang:type=Runtime"), "Name"));
        }
    }
}
