// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.http.ExecutableHttpRequest;
import software.amazon.awssdk.http.HttpExecuteRequest;
import software.amazon.awssdk.http.HttpExecuteResponse;
import software.amazon.awssdk.http.SdkHttpClient;

class AbortableHttpTest {
    private static final RuntimeException BROKEN = new NullPointerException("this.http is null");

    /** Fails as the JDK's connection does. */
    private static final class Broken implements SdkHttpClient {
        @Override
        public ExecutableHttpRequest prepareRequest(HttpExecuteRequest request) {
            return new ExecutableHttpRequest() {
                @Override
                public HttpExecuteResponse call() {
                    throw BROKEN;
                }

                @Override
                public void abort() {
                    // nothing runs
                }
            };
        }

        @Override
        public void close() {
            // nothing is open
        }
    }

    private final ExecutableHttpRequest request = new AbortableHttp(new Broken()).prepareRequest(null);

    @Test
    void whatFailsAfterItWasAbortedIsACutConnection() {
        request.abort();
        assertEquals(BROKEN, assertThrows(IOException.class, request::call).getCause());
    }

    @Test
    void anotherFaultIsPassedOn() {
        assertEquals(BROKEN, assertThrows(NullPointerException.class, request::call));
    }
}
