// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import java.io.IOException;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.UnknownHostException;
import java.util.Set;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.ebs.model.ValidationException;

/** What kind of failure a remote call met, which decides whether it is tried again. */
enum Fault {
    /** Server error, throttling, time-out, cut connection: worth repeating. */
    TRANSIENT,
    /** Nobody answers at that address; worth repeating for seconds, not minutes. */
    UNREACHABLE,
    /** The resource does not exist, or does not exist yet. */
    NOT_FOUND,
    /** The caller may not do this. */
    DENIED,
    /** The proxy on the way does not let the request through. */
    PROXY,
    /** There are no credentials to sign with. */
    NO_CREDENTIALS,
    /** The request is understood and refused. */
    REJECTED,
    /** The thread was interrupted. */
    INTERRUPTED;

    private static final Set<String> TRANSIENT_CODES = Set.of(
            "RequestThrottledException",
            "RequestThrottled",
            "ThrottlingException",
            "Throttling",
            "ThrottledException",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "EC2ThrottledException",
            "SlowDown",
            "ConcurrentLimitExceededException",
            "InternalServerException",
            "InternalError",
            "InternalFailure",
            "ServiceUnavailable",
            "Unavailable",
            "RequestTimeout",
            "RequestTimeoutException",
            "InsufficientInstanceCapacity");

    private static final Set<String> DENIED_CODES = Set.of(
            "UnauthorizedOperation",
            "AccessDenied",
            "AccessDeniedException",
            "AuthFailure",
            "InvalidClientTokenId",
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
            "ExpiredToken",
            "ExpiredTokenException",
            "OptInRequired",
            "RequestExpired",
            "UnrecognizedClientException",
            "Blocked");

    static Fault of(Throwable failure) {
        if (failure instanceof AwsServiceException service) {
            return ofService(service);
        }
        if (failure instanceof AbortedException) {
            return INTERRUPTED;
        }
        if (failure instanceof ApiCallTimeoutException || failure instanceof ApiCallAttemptTimeoutException) {
            return TRANSIENT;
        }
        if (failure instanceof SdkException && mentionsCredentials(failure)) {
            return NO_CREDENTIALS;
        }
        return ofTransport(failure);
    }

    /** The service's own word for the failure, or null when there is none. */
    static String code(Throwable failure) {
        if (!(failure instanceof AwsServiceException service)) {
            return null;
        }
        AwsErrorDetails details = service.awsErrorDetails();
        return details == null ? null : details.errorCode();
    }

    private static Fault ofService(AwsServiceException e) {
        String code = String.valueOf(code(e));
        if (e.statusCode() >= 500
                || e.statusCode() == 429
                || e.isThrottlingException()
                || TRANSIENT_CODES.contains(code)) {
            return TRANSIENT;
        }
        if (e instanceof ValidationException validation
                && "WRITE_REQUEST_TIMEOUT".equals(validation.reasonAsString())) {
            return TRANSIENT;
        }
        if (e.statusCode() == HttpURLConnection.HTTP_PROXY_AUTH) {
            return PROXY;
        }
        if (e.statusCode() == 404 || code.endsWith(".NotFound") || code.endsWith("NotFoundException")) {
            return NOT_FOUND;
        }
        if (e.statusCode() == 401 || e.statusCode() == 403 || DENIED_CODES.contains(code)) {
            return DENIED;
        }
        return REJECTED;
    }

    private static Fault ofTransport(Throwable failure) {
        for (Throwable t = failure; t != null; t = t.getCause()) {
            if (t instanceof UnknownHostException || t instanceof ConnectException) {
                return UNREACHABLE;
            }
            if (t instanceof IOException) {
                return isOfTunnel(t) ? PROXY : TRANSIENT;
            }
        }
        return REJECTED;
    }

    /** The JDK has no type for what a proxy answers to CONNECT with a status of 4xx. */
    private static boolean isOfTunnel(Throwable t) {
        return String.valueOf(t.getMessage()).matches("(?s)Unable to tunnel through proxy\\..* 4\\d\\d .*");
    }

    private static boolean mentionsCredentials(Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        return message.contains("Unable to load credentials")
                || message.contains("Profile file contained no credentials")
                || message.contains("No profile")
                || message.contains("SSO session")
                || message.contains("SSO token");
    }
}
