// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Recomputes AWS Signature Version 4 from the request as it arrived. */
final class SignatureV4 {
    private static final Pattern AUTHORIZATION =
            Pattern.compile("AWS4-HMAC-SHA256 Credential=([^/]+)/(\\d{8})/([^/]+)/([^/]+)/aws4_request, "
                    + "?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})");
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    private SignatureV4() {}

    record Scope(String accessKey, String region, String service) {}

    /** Throws what AWS answers when the signature, the clock or the payload hash is wrong. */
    static Scope verify(Request request, Map<String, String> secrets, String expectedToken) {
        Matcher authorization = AUTHORIZATION.matcher(String.valueOf(request.header("Authorization")));
        if (!authorization.matches()) {
            throw denied(
                    "MissingAuthenticationToken", "no SigV4 Authorization header: " + request.header("Authorization"));
        }
        Scope scope = new Scope(authorization.group(1), authorization.group(3), authorization.group(4));
        String secret = secrets.get(scope.accessKey());
        if (secret == null) {
            throw denied("InvalidClientTokenId", "unknown access key");
        }
        if (expectedToken != null && !expectedToken.equals(request.header("X-Amz-Security-Token"))) {
            throw denied("InvalidClientTokenId", "wrong session token");
        }
        List<String> signed = List.of(authorization.group(5).split(";"));
        requireSigned(request, signed);
        String stamp = request.header("X-Amz-Date");
        requireFresh(stamp);
        String payload = payloadHash(request, scope.service());
        String canonical = canonical(request, scope.service(), signed, authorization.group(5), payload);
        String dated = authorization.group(2) + "/" + scope.region() + "/" + scope.service() + "/aws4_request";
        String toSign = "AWS4-HMAC-SHA256\n" + stamp + "\n" + dated + "\n"
                + hex(sha256(canonical.getBytes(StandardCharsets.UTF_8)));
        byte[] key = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
        for (String part : dated.split("/")) {
            key = hmac(key, part);
        }
        if (!hex(hmac(key, toSign)).equals(authorization.group(6))) {
            throw denied("SignatureDoesNotMatch", "recomputed signature differs");
        }
        return scope;
    }

    private static void requireSigned(Request request, List<String> signed) {
        if (!signed.contains("host")) {
            throw denied("SignatureDoesNotMatch", "host is not signed");
        }
        for (String name : request.headers.keySet()) {
            if (name.toLowerCase().startsWith("x-amz-") && !signed.contains(name.toLowerCase())) {
                throw denied("SignatureDoesNotMatch", name + " is not signed");
            }
        }
    }

    private static void requireFresh(String stamp) {
        Duration skew = Duration.between(Instant.from(STAMP.parse(stamp)), Instant.now())
                .abs();
        if (skew.compareTo(Duration.ofMinutes(15)) > 0) {
            throw denied("RequestTimeTooSkewed", stamp);
        }
    }

    private static String payloadHash(Request request, String service) {
        String declared = request.header("x-amz-content-sha256");
        if ("UNSIGNED-PAYLOAD".equals(declared) && (service.equals("ebs") || service.equals("s3"))) {
            return declared;
        }
        String actual = hex(sha256(request.body));
        if (declared == null) {
            return actual;
        }
        if (!declared.equals(actual)) {
            throw new AwsFault(400, "XAmzContentSHA256Mismatch", "declared " + declared + ", is " + actual);
        }
        return declared;
    }

    private static String canonical(
            Request request, String service, List<String> signed, String signedList, String payload) {
        String path = service.equals("s3")
                ? request.path
                : Arrays.stream(request.path.split("/", -1))
                        .map(SignatureV4::encode)
                        .collect(Collectors.joining("/"));
        String query = request.query().stream()
                .map(e -> encode(e.getKey()) + "=" + encode(e.getValue()))
                .sorted()
                .collect(Collectors.joining("&"));
        StringBuilder headers = new StringBuilder();
        for (String name : signed) {
            String value = request.headers.getOrDefault(name, List.of()).stream()
                    .map(v -> v.trim().replaceAll(" +", " "))
                    .collect(Collectors.joining(","));
            headers.append(name).append(':').append(value).append('\n');
        }
        return request.method + "\n" + path + "\n" + query + "\n" + headers + "\n" + signedList + "\n" + payload;
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8)
                .replace("+", "%20")
                .replace("*", "%2A")
                .replace("%7E", "~");
    }

    private static byte[] sha256(byte[] data) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(data);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    private static AwsFault denied(String code, String message) {
        return new AwsFault(403, code, message);
    }
}
