// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.BlockMap.Block;
import io.github.javaunikernel.maven.aws.CloudException.Reason;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.ebs.EbsClient;
import software.amazon.awssdk.services.ebs.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.ebs.model.PutSnapshotBlockRequest;

/** Sends blocks of one image to one snapshot over a bounded number of threads. The first failure stops them all. */
final class BlockSender {
    private final EbsClient ebs;
    private final Retrier retrier;
    private final int workers;
    private final UploadProgress progress;

    BlockSender(EbsClient ebs, Retrier retrier, int workers, UploadProgress progress) {
        this.ebs = ebs;
        this.retrier = retrier;
        this.workers = workers;
        this.progress = progress;
    }

    /** Sends all blocks and notes each in the journal; returns when the last has arrived. */
    void send(DiskImage image, String snapshotId, List<Block> blocks, UploadJournal journal) throws CloudException {
        progress.expect(blocks.size());
        if (blocks.isEmpty()) {
            return;
        }
        Queue<Block> queue = new ConcurrentLinkedQueue<>(blocks);
        ExecutorService pool = Executors.newFixedThreadPool(Math.min(workers, blocks.size()), task -> {
            Thread thread = new Thread(task, "upload-" + snapshotId);
            thread.setDaemon(true);
            return thread;
        });
        try (FileChannel channel = FileChannel.open(image.file(), StandardOpenOption.READ)) {
            List<Future<Void>> drains = new ArrayList<>();
            for (int i = 0; i < Math.min(workers, blocks.size()); i++) {
                drains.add(pool.submit(() -> drain(queue, image, channel, snapshotId, journal)));
            }
            awaitAll(drains);
        } catch (IOException e) {
            throw image.unreadable(e);
        } finally {
            pool.shutdownNow();
        }
    }

    private Void drain(
            Queue<Block> queue, DiskImage image, FileChannel channel, String snapshotId, UploadJournal journal)
            throws CloudException {
        try {
            for (Block block = queue.poll(); block != null; block = queue.poll()) {
                put(BlockMap.read(channel, block.index()), block, snapshotId);
                journal.sent(block.index());
                progress.sent();
            }
            return null;
        } catch (IOException e) {
            queue.clear();
            throw image.unreadable(e);
        } catch (CloudException | RuntimeException e) {
            queue.clear();
            throw e;
        }
    }

    private void put(byte[] data, Block block, String snapshotId) throws CloudException {
        PutSnapshotBlockRequest request = PutSnapshotBlockRequest.builder()
                .snapshotId(snapshotId)
                .blockIndex(block.index())
                .dataLength(BlockMap.BLOCK_SIZE)
                .checksum(Digests.base64(block.digest()))
                .checksumAlgorithm(ChecksumAlgorithm.SHA256)
                .build();
        retrier.callFresh(
                "send block " + block.index() + " of " + snapshotId,
                () -> ebs.putSnapshotBlock(request, RequestBody.fromBytes(data)));
    }

    /**
     * Waits for every thread, so that none still sends when the caller cleans up; throws what the first failed one met.
     */
    private static void awaitAll(List<Future<Void>> drains) throws CloudException {
        CloudException first = null;
        for (Future<Void> drain : drains) {
            try {
                drain.get();
            } catch (ExecutionException e) {
                first = first == null ? CloudException.of(e.getCause(), "Sending blocks") : first;
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new CloudException(Reason.INTERRUPTED, "Interrupted while sending blocks.", e);
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
