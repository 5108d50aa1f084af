// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ElfFileTest {

    private static final int SIZE = 512;

    @TempDir
    private Path scratch;

    @Test
    void readsWhatItNeeds() throws Exception {
        ElfFile elf = ElfFile.read(write(sample())).orElseThrow();
        assertEquals("/lib64/ld.so", elf.interpreter());
        assertEquals(List.of("libone.so", "libtwo.so"), elf.needed());
        assertEquals(400, elf.loadedSize());
    }

    @Test
    void otherFilesAreNotElf() throws Exception {
        assertTrue(ElfFile.read(write("#!/bin/sh\n".repeat(20).getBytes())).isEmpty());
        assertTrue(ElfFile.read(write(new byte[3])).isEmpty());
    }

    @Test
    void otherMachinesAreRefused() throws Exception {
        byte[] arm = sample();
        arm[18] = (byte) 183;
        Path file = write(arm);
        String message =
                assertThrows(IOException.class, () -> ElfFile.read(file)).getMessage();
        assertTrue(message.endsWith("is an ELF file for another machine than x86-64. Replace it."), message);
    }

    /** Whatever the bytes, the answer is a file, no file or a message; never another exception and never a hang. */
    @Test
    void damagedFilesAreRefusedInWords() throws Exception {
        Random random = new Random(20260101);
        int refused = 0;
        for (int round = 0; round < 3000; round++) {
            byte[] bytes = sample();
            for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
                bytes[4 + random.nextInt(bytes.length - 4)] = (byte) random.nextInt();
            }
            Path file = write(Arrays.copyOf(bytes, 64 + random.nextInt(SIZE - 64)));
            try {
                ElfFile.read(file);
            } catch (IOException e) {
                assertTrue(e.getMessage().endsWith("Replace it."), e.toString());
                refused++;
            }
        }
        assertTrue(refused > 500, refused + " refused");
    }

    @Test
    void theLoadedPartEndsBehindTheLastSegment() throws Exception {
        byte[] expected = Arrays.copyOf(sample(), 400);
        Arrays.fill(expected, 40, 48, (byte) 0);
        Arrays.fill(expected, 60, 64, (byte) 0);
        try (InputStream in = LoadedElf.of(write(sample())).orElseThrow().open()) {
            assertArrayEquals(expected, in.readAllBytes());
        }
    }

    /** A file with one segment of each kind; addresses are 0x1000 above offsets, and sections would follow at 400. */
    private static byte[] sample() {
        ByteBuffer elf = ByteBuffer.allocate(SIZE).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(new byte[] {0x7F, 'E', 'L', 'F', 2, 1, 1});
        elf.putShort(16, (short) 3).putShort(18, (short) 62).putLong(32, 64).putLong(40, 400);
        elf.putShort(54, (short) 56)
                .putShort(56, (short) 3)
                .putShort(60, (short) 2)
                .putShort(62, (short) 1);
        segment(elf, 64, 1, 0, 400);
        segment(elf, 120, 2, 240, 112);
        segment(elf, 176, 3, 356, 13);
        long[] dynamic = {1, 1, 1, 11, 5, 0x1000 + 370, 10, 30, 29, 21, 0, 0};
        for (int i = 0; i < dynamic.length; i++) {
            elf.putLong(240 + 8 * i, dynamic[i]);
        }
        elf.put(356, "/lib64/ld.so\0".getBytes());
        elf.put(370, "\0libone.so\0libtwo.so\0$ORIGIN:/".getBytes());
        return elf.array();
    }

    private static void segment(ByteBuffer elf, int at, int type, long offset, long size) {
        elf.putInt(at, type)
                .putLong(at + 8, offset)
                .putLong(at + 16, 0x1000 + offset)
                .putLong(at + 32, size);
    }

    private Path write(byte[] bytes) throws IOException {
        return Files.write(scratch.resolve("file"), bytes);
    }
}
