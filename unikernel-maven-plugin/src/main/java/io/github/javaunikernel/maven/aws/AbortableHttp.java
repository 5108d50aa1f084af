// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.io.IOException;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;

/**
 * An HTTP client whose requests may be aborted while they run. The SDK ends an attempt that lasts too long from another
 * thread; the JDK's connection then fails with a {@link NullPointerException} if it is just at work. Here that becomes
 * what it is, a cut connection, so that the call is repeated. Thread-safe if the client is.
 */
record AbortableHttp(SdkHttpClient client) implements SdkHttpClient {
    @Override
    public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
        return new Attempt(client.prepareRequest(request));
    }

    @Override
    public String clientName() {
        return client.clientName();
    }

    @Override
    public void close() {
        client.close();
    }

    private static final class Attempt implements ExecutableHttpRequest {
        private final ExecutableHttpRequest request;
        private volatile boolean aborted;

        private Attempt(ExecutableHttpRequest request) {
            this.request = request;
        }

        @Override
        public HttpExecuteResponse call() throws IOException {
            try {
                return request.call();
            } catch (RuntimeException e) {
                if (aborted) {
                    throw new IOException("The attempt was aborted.", e);
                }
                throw e;
            }
        }

        @Override
        public void abort() {
            aborted = true;
            request.abort();
        }
    }
}
