// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.net.http.HttpTimeoutException;
import javax.net.ssl.SSLException;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * Why something failed, in words of its own: the texts of Java and of the SDK are for programmers. Each answer is a
 * part of a sentence, without a full stop.
 */
final class Causes {
    private Causes() {}

    /** Why a call of a service failed: the service's code and words, or what happened on the way to it. */
    static String ofCall(SdkException failure) {
        String code = Fault.code(failure);
        if (code != null) {
            String message = ((AwsServiceException) failure).awsErrorDetails().errorMessage();
            return message == null ? code : code + ", " + stripFullStop(message);
        }
        if (failure instanceof AwsServiceException service && Fault.of(failure) != Fault.PROXY) {
            return "status " + service.statusCode();
        }
        if (failure instanceof ApiCallTimeoutException || failure instanceof ApiCallAttemptTimeoutException) {
            return "no answer in time";
        }
        return switch (Fault.of(failure)) {
            case NO_CREDENTIALS -> "there are no credentials to sign with";
            case INTERRUPTED -> "it was interrupted";
            case PROXY -> "the proxy of settings.xml does not let the request through";
            default -> ofTransport(failure);
        };
    }

    /** What happened on the way to a server. */
    static String ofTransport(Throwable failure) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t instanceof UnknownHostException) {
                return "the name of the host is unknown";
            }
            if (t instanceof ConnectException) {
                return "nothing accepts the connection";
            }
            if (t instanceof SocketTimeoutException || t instanceof HttpTimeoutException) {
                return "no answer in time";
            }
            if (t instanceof SSLException) {
                return "there is no trusted TLS connection to the host";
            }
            if (t instanceof IOException) {
                return "the connection was cut";
            }
        }
        return "the request cannot be sent with these settings (mvn -X has the details)";
    }

    private static String stripFullStop(String text) {
        return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
    }
}
