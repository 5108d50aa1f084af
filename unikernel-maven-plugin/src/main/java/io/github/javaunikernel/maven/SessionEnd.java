// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.apache.maven.execution.ExecutionListener;
import org.apache.maven.execution.MavenSession;

/** Runs an action when the build ends, however it ends; also if the JVM continues, as in a daemon or an IDE. */
final class SessionEnd {

    private SessionEnd() {}

    /** Modules that are built in parallel may call this at the same time. */
    static synchronized void then(MavenSession session, Runnable action) {
        ExecutionListener others = session.getRequest().getExecutionListener();
        Object listener = Proxy.newProxyInstance(
                SessionEnd.class.getClassLoader(),
                new Class<?>[] {ExecutionListener.class},
                (proxy, method, arguments) -> {
                    if (method.getName().equals("sessionEnded")) {
                        action.run();
                    }
                    try {
                        return others == null ? null : method.invoke(others, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        session.getRequest().setExecutionListener((ExecutionListener) listener);
    }
}
