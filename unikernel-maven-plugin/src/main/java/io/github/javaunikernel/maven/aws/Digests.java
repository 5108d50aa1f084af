// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.BlockMap.Block;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;

/** Checksums as the EBS direct API wants them. */
final class Digests {
    static final int SHA256_BYTES = 32;

    private Digests() {}

    static MessageDigest newDigest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has " + algorithm + ".", e);
        }
    }

    static byte[] sha256(byte[] data) {
        return newDigest("SHA-256").digest(data);
    }

    static String base64(byte[] digest) {
        return Base64.getEncoder().encodeToString(digest);
    }

    /** The LINEAR aggregate: SHA-256 over the raw digests of the blocks sent, by ascending index; base64. */
    static String linear(List<Block> ascending) {
        MessageDigest all = newDigest("SHA-256");
        ascending.forEach(block -> all.update(block.digest()));
        return base64(all.digest());
    }
}
