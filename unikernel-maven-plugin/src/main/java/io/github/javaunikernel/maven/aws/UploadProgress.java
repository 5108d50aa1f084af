// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

/** Receives how an upload proceeds, over all regions together. Implementations are thread-safe. */
public interface UploadProgress {
    /** More is to be sent than known before. */
    void expect(int blocks);

    /** A block of {@link BlockMap#BLOCK_SIZE} bytes has arrived. */
    void sent();

    /** No more calls follow. */
    void finish();
}
