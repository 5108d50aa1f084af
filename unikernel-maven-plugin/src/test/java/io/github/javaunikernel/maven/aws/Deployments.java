// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws;

import io.github.javaunikernel.maven.aws.fake.FakeAws;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Deploys against the fake, with settings a test changes one by one. */
final class Deployments {
    static final String REGION = "eu-west-1";

    final Path image;
    final Path state;
    String name = "shop-1.0";
    /** The first image has {@link #name}; a second one has its kind appended. */
    List<Virtualization> kinds = List.of(Virtualization.PARAVIRTUAL);

    DuplicateName duplicateName = DuplicateName.FAIL;
    Optional<String> kernelId = Optional.empty();
    Optional<String> kmsKey = Optional.empty();
    Optional<Instant> deprecateAt = Optional.empty();
    AmiSpec.Access share = new AmiSpec.Access(List.of(), List.of());
    boolean resume;
    long scratchBytes;
    boolean incremental = true;
    int workers = 8;
    Duration timeout = Duration.ofMinutes(2);
    Duration attemptTimeout = Duration.ofSeconds(20);
    final Recorder log = new Recorder();

    Deployments(Path directory) {
        image = directory.resolve("shop.img");
        state = directory.resolve("state");
    }

    AmiSpec spec() {
        UploadSettings upload = new UploadSettings(workers, timeout, resume, incremental, kmsKey);
        Map<Virtualization, String> names = new LinkedHashMap<>();
        kinds.forEach(kind -> names.put(kind, names.isEmpty() ? name : name + "-" + kind.id()));
        return new AmiSpec(
                image,
                new MachineSize(256, 1, scratchBytes),
                "org.example:shop",
                names,
                "Shop",
                Map.of("team", "blue"),
                duplicateName,
                kernelId,
                Optional.empty(),
                share,
                deprecateAt,
                upload,
                state);
    }

    AmiDeployer.Outcome deploy(FakeAws fake, String... regions) throws CloudException {
        try (AwsAccess access = access(fake)) {
            return new AmiDeployer(access, spec(), log, new Silent()).deploy(List.of(regions));
        }
    }

    AmiDeployer.Outcome plan(FakeAws fake, String... regions) throws CloudException {
        try (AwsAccess access = access(fake)) {
            return new AmiDeployer(access, spec(), log, new Silent()).plan(List.of(regions));
        }
    }

    AwsAccess access(FakeAws fake) throws CloudException {
        CredentialSource keys = CredentialSource.keys("test", FakeAws.ACCESS_KEY, FakeAws.SECRET_KEY, Optional.empty());
        return new AwsAccess(keys, Optional.of(fake.endpoint()), Optional.empty(), attemptTimeout);
    }

    /** A deploy to the one region that must succeed; its first image. */
    AmiResult deployOne(FakeAws fake) throws CloudException {
        return deployAll(fake).get(0);
    }

    /** A deploy to the one region that must succeed. */
    List<AmiResult> deployAll(FakeAws fake) throws CloudException {
        AmiDeployer.Outcome outcome = deploy(fake, REGION);
        for (CloudException failure : outcome.failures().values()) {
            throw failure;
        }
        return outcome.results();
    }

    /** A sparse image: of {@code blocks} blocks every third is a hole; the end is no block boundary. */
    void writeImage(long seed, int blocks) throws IOException {
        Random random = new Random(seed);
        try (FileChannel channel = FileChannel.open(
                image,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE,
                StandardOpenOption.SPARSE)) {
            byte[] data = new byte[BlockMap.BLOCK_SIZE];
            for (int i = 0; i < blocks; i++) {
                random.nextBytes(data);
                if (i % 3 != 2) {
                    channel.write(ByteBuffer.wrap(data), (long) i * BlockMap.BLOCK_SIZE);
                }
            }
            channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3}), (long) blocks * BlockMap.BLOCK_SIZE);
        }
    }

    /** As the image writer does: the signature of a boot sector at its end. */
    void writeBootSector() throws IOException {
        try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {0x55, (byte) 0xAA}), 510);
        }
    }

    /** As the writer of images for UEFI does: the beginning of a partition table after a boot sector. */
    void writePartitionTable() throws IOException {
        writeBootSector();
        try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap("EFI PART".getBytes(StandardCharsets.US_ASCII)), 512);
        }
    }

    void overwrite(int block, byte[] data) throws IOException {
        try (FileChannel channel = FileChannel.open(image, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(data), (long) block * BlockMap.BLOCK_SIZE);
        }
    }

    /** Keeps every line. */
    static final class Recorder implements CloudLog {
        final Queue<String> lines = new ConcurrentLinkedQueue<>();

        @Override
        public void info(String line) {
            lines.add(line);
        }

        @Override
        public void warn(String line) {
            lines.add("WARN " + line);
        }

        @Override
        public void debug(String line) {
            lines.add("DEBUG " + line);
        }
    }

    /** Shows no progress. */
    static final class Silent implements UploadProgress {
        @Override
        public void expect(int blocks) {}

        @Override
        public void sent() {}

        @Override
        public void finish() {}
    }
}
