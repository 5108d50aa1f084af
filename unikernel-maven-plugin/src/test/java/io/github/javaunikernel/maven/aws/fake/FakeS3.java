// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;

/** PUT of objects, by path style, with Content-MD5 and the ACL that lets EC2 read them. */
public final class FakeS3 {
    private final Map<String, byte[]> objects = new ConcurrentSkipListMap<>();

    /** Objects by {@code bucket/key}. */
    public Map<String, byte[]> objects() {
        return objects;
    }

    Reply answer(Request request) {
        String key = Request.decode(request.path).substring(1);
        return switch (request.method) {
            case "PUT" -> put(request, key);
            case "DELETE" -> {
                objects.remove(key);
                yield new Reply(204, "text/plain", new byte[0], Map.of());
            }
            default -> throw new AwsFault(405, "MethodNotAllowed", request.method);
        };
    }

    private Reply put(Request request, String key) {
        if (!"aws-exec-read".equals(request.header("x-amz-acl"))) {
            throw new AwsFault(400, "InvalidArgument", "x-amz-acl is " + request.header("x-amz-acl"));
        }
        if (!md5(request.body).equals(request.requiredHeader("Content-MD5"))) {
            throw new AwsFault(400, "BadDigest", "Content-MD5 does not match");
        }
        objects.put(key, request.body);
        return new Reply(200, "text/plain", new byte[0], Map.of("ETag", "\"fake\""));
    }

    private static String md5(byte[] data) {
        try {
            return Base64.getEncoder()
                    .encodeToString(MessageDigest.getInstance("MD5").digest(data));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }
}
