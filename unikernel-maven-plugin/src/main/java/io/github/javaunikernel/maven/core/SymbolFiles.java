// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.core;

import io.github.javaunikernel.maven.settings.FileTrouble;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/**
 * Programs and libraries with their symbols and section headers, which an image leaves out and debuggers need: the
 * files of this machine that the image's were made of.
 *
 * @param jdk that the image's runtime was linked from
 * @param system root of the system whose libraries the image has
 */
public record SymbolFiles(Path jdk, Path system) {

    /** Bytes of the file that the two may differ in. */
    private record Range(long start, long end) {}

    /** e_shoff, and e_shnum with e_shstrndx: elf(5). */
    private static final List<Range> SECTION_TABLE = List.of(new Range(40, 48), new Range(60, 64));

    /** Whether debuggers want symbols of a file. */
    static boolean concerns(Path file) throws IOException {
        try (MappedFile mapped = new MappedFile(file)) {
            return Elf.isElf(mapped);
        }
    }

    /**
     * Puts the original in the place of a file of the image, if it is found.
     *
     * @param path in the guest
     */
    boolean restore(String path, Path file) throws IOException {
        String relative = path.substring(1);
        int inRuntime = relative.indexOf('/') + 1;
        for (Path candidate : List.of(jdk.resolve(relative.substring(inRuntime)), system.resolve(relative))) {
            if (Files.isRegularFile(candidate) && isOriginalOf(file, candidate)) {
                FileTrouble.on(file, () -> Files.copy(candidate, file, StandardCopyOption.REPLACE_EXISTING));
                return true;
            }
        }
        return false;
    }

    /**
     * Compares all that is loaded. Notes may differ: a distribution may have given the libraries of the JDK other build
     * identifiers than those in its jmods have, of which the image is made.
     */
    private static boolean isOriginalOf(Path file, Path candidate) throws IOException {
        try (MappedFile found = new MappedFile(file);
                MappedFile original = new MappedFile(candidate)) {
            if (original.size() < found.size() || !Elf.isElf(original)) {
                return false;
            }
            List<Range> ignored = new ArrayList<>(SECTION_TABLE);
            Elf.segments(found).stream()
                    .filter(segment -> segment.type() == Elf.PT_NOTE)
                    .map(note -> new Range(note.offset(), note.offset() + note.fileSize()))
                    .forEach(ignored::add);
            for (long at = 0; at < found.size(); at += MappedFile.MAX_PIECE) {
                int length = (int) Math.min(MappedFile.MAX_PIECE, found.size() - at);
                if (!without(ignored, found, at, length).equals(without(ignored, original, at, length))) {
                    return false;
                }
            }
            return true;
        }
    }

    private static ByteBuffer without(List<Range> ignored, MappedFile file, long start, int length) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(length).put(file.piece(start, length));
        for (Range range : ignored) {
            for (long at = Math.max(range.start(), start); at < Math.min(range.end(), start + length); at++) {
                bytes.put((int) (at - start), (byte) 0);
            }
        }
        return bytes.flip();
    }
}
