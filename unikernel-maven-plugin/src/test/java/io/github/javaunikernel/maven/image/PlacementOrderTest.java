// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How much of an image changes when a file of it does. The sizes are those of a small service with a few libraries. */
class PlacementOrderTest {

    private static final int KIB = 1 << 10;
    private static final int MIB = 1 << 20;

    /** What an image is made of; each field changes the size and the bytes of its files. */
    private static final class Contents {
        private int kernel = 700 * KIB;
        private int libjvm = 13 * MIB;
        private int modules = 12 * MIB;
        private int application = 150 * KIB;
        private List<Integer> dependencies = new ArrayList<>(List.of(1700 * KIB, 60 * KIB, 900 * KIB, 200 * KIB));
        private String time = "2026-01-01T00:00:00Z";

        private ImageTree tree() throws ImageException {
            ImageTree tree = new ImageTree()
                    .bootFile("/boot/unikernel", bytes(kernel), "kernel")
                    .bootFile("/boot/grub/menu.lst", FileContent.of(image -> "root=" + image), "menu")
                    .boot(new BootArea(new byte[512], List.of("/boot/unikernel", "/boot/grub/menu.lst")))
                    .file("/usr/lib/libc.so.6", bytes(1900 * KIB), 0755, "system", Placement.SYSTEM)
                    .file("/usr/lib/libz.so.1", bytes(120 * KIB), 0755, "system", Placement.SYSTEM)
                    .symbolicLink("/etc/resolv.conf", "/run/" + "r".repeat(80), "generated")
                    .file("/jvm/bin/java", bytes(13 * KIB), 0755, "jdk", Placement.RUNTIME)
                    .file("/jvm/lib/libnio.so", bytes(90 * KIB), 0755, "jdk", Placement.RUNTIME)
                    .file("/jvm/lib/server/libjvm.so", bytes(libjvm), 0755, "jdk", Placement.RUNTIME)
                    .file("/jvm/lib/modules", bytes(modules), 0644, "jdk", Placement.MODULES)
                    .file("/app/app.jar", bytes(application), 0644, "maven")
                    .file("/etc/unikernel.conf", FileContent.of("classes " + dependencies.size()), 0644, "generated");
            for (int i = 0; i < dependencies.size(); i++) {
                String path = "/app/lib/" + dependencies.get(i) + "-" + i + ".jar";
                tree.file(path, bytes(dependencies.get(i)), 0644, "maven", Placement.dependency(i));
            }
            return tree;
        }

        /** From the size, so that another size means other bytes from the start. */
        private static FileContent bytes(int size) {
            byte[] bytes = new byte[size];
            new Random(size).nextBytes(bytes);
            return FileContent.of(bytes);
        }
    }

    @TempDir
    private Path scratch;

    private final Contents contents = new Contents();
    private Path first;

    @BeforeEach
    void writeTheFirst() throws Exception {
        first = write("first");
    }

    @Test
    void oneMoreClassChangesTheFrontAndTheApplication() throws Exception {
        contents.application += 2 * KIB;
        assertChanged(2);
        contents.application += 300 * KIB;
        assertChanged(2);
    }

    @Test
    void aNewDependencyLeavesTheOthersWhereTheyAre() throws Exception {
        contents.dependencies.add(3_000_000);
        assertChanged(8);
    }

    @Test
    void anotherVersionOfADependencyLeavesTheOthersWhereTheyAre() throws Exception {
        contents.dependencies.set(0, 1710 * KIB);
        assertChanged(1 + 4);
        contents.dependencies.set(1, 70 * KIB);
        assertChanged(1 + 4 + 1);
    }

    @Test
    void aFurtherModuleLeavesTheJvmWhereItIs() throws Exception {
        contents.modules += MIB;
        assertChanged(1 + 27);
    }

    @Test
    void aNewJdkLeavesDependenciesAndApplicationWhereTheyAre() throws Exception {
        contents.libjvm += 200 * KIB;
        contents.modules += 100 * KIB;
        assertChanged(1 + 27 + 25);
    }

    @Test
    void anotherKernelLeavesTheRestWhereItIs() throws Exception {
        contents.kernel += 20 * KIB;
        assertChanged(1 + 2);
    }

    @Test
    void anotherTimeChangesTheFrontOnly() throws Exception {
        contents.time = "2026-02-01T00:00:00Z";
        assertChanged(1);
    }

    @Test
    void theSummarySaysWhatIsInUse() throws Exception {
        ImageSummary summary = new Ext2Writer("test", Instant.EPOCH).write(contents.tree(), scratch.resolve("s.img"));
        String header = E2fs.debugfs(scratch.resolve("s.img"), "stats -h");
        long free = Long.parseLong(header.replaceAll("(?s).*Free blocks: +(\\d+).*", "$1"));
        assertEquals(free * 4096, summary.size() - summary.stored());
        assertTrue(free > 0);
    }

    @Test
    void freePiecesAreHoles() throws Exception {
        int content = 700 * KIB + 2020 * KIB + 25 * MIB + 103 * KIB + 150 * KIB + 2860 * KIB;
        int least = content / (512 * KIB);
        assertTrue(Pieces.stored(first) <= least + 8, Pieces.stored(first) + " pieces for " + least);
        assertTrue(Files.size(first) < content + 16L * MIB, "size " + Files.size(first));
    }

    @Test
    void sameContentsGiveTheSameBytes() throws Exception {
        assertEquals(-1, Files.mismatch(first, write("again")));
    }

    @Test
    void filesComeBackFromBeyondTheFirstGroup() throws Exception {
        contents.libjvm = 127 * MIB;
        contents.dependencies.add(1, 140 * MIB);
        Path image = write("groups");
        E2fs.assertClean(image);
        assertArrayEquals(read(contents.application), E2fs.read(image, "/app/app.jar", scratch));
        contents.application += KIB;
        // The copy of the superblock in the second group has the image's id, and the third the application's inodes.
        int changed = Pieces.changed(image, write("groups-changed"));
        assertTrue(changed <= 4, changed + " pieces changed");
    }

    private static byte[] read(int size) throws IOException {
        try (var in = Contents.bytes(size).open()) {
            return in.readAllBytes();
        }
    }

    private void assertChanged(int most) throws Exception {
        Path second = write("second");
        E2fs.assertClean(second);
        int changed = Pieces.changed(first, second);
        assertTrue(changed >= 1 && changed <= most, changed + " of " + Pieces.stored(second) + " pieces changed");
    }

    private Path write(String name) throws IOException {
        Path image = scratch.resolve(name + ".img");
        new Ext2Writer("test", Instant.parse(contents.time)).write(contents.tree(), image);
        return image;
    }
}
