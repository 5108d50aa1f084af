// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.javaunikernel.maven.settings.ExplainedException;
import io.github.javaunikernel.maven.settings.SettingException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassListTest {

    private static final String LAMBDA =
            "@lambda-proxy demo/Main run ()Ljava/lang/Runnable; ()V REF_invokeStatic demo/Main lambda$main$0 ()V ()V";
    private static final List<String> RECORDING = List.of(
            "# a comment",
            "java/lang/Object id: 0",
            "java/lang/String id: 3",
            LAMBDA,
            "demo/Plugin id: 900 super: 0 source: /app/plugins/a.jar",
            "demo/Main id: 12",
            "",
            "java/lang/Object id: 0",
            "@cp demo/Main 3 7");

    @TempDir
    private Path scratch;

    @Test
    void aRecordingIsSortedWithTheClassesFirst() throws Exception {
        ClassList list = ClassList.recorded(RECORDING);
        assertEquals(
                List.of("demo/Main", "java/lang/Object", "java/lang/String", "@cp demo/Main 3 7", LAMBDA),
                list.lines());
        assertEquals(3, list.classes());
    }

    @Test
    void aRecordingWithoutClassesIsAnError() {
        IOException e = assertThrows(IOException.class, () -> ClassList.recorded(List.of("demo/Main id: 12")));
        assertEquals("The JVM in the guest has recorded no classes. Look at the console of the guest.", e.getMessage());
    }

    @Test
    void whatIsWrittenIsReadAgain() throws Exception {
        Path file = scratch.resolve("src/main/unikernel.classlist");
        ClassList.recorded(List.of("java/lang/Object id: 0")).write(file);
        ClassList list = ClassList.recorded(RECORDING);
        list.write(file);
        assertEquals(list, ClassList.read(file));
        assertTrue(Files.readString(file).endsWith("()V ()V\n"));
        try (var files = Files.list(file.getParent())) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void anEditedListMayHaveCommentsAndEmptyLines() throws Exception {
        Path file = Files.writeString(scratch.resolve("list"), "# mine\n\njava/lang/Object\ndemo/Main\n");
        assertEquals(
                List.of("java/lang/Object", "demo/Main"), ClassList.read(file).lines());
    }

    @Test
    void whatIsNoListIsRefused() throws Exception {
        for (byte[] content : List.of(new byte[0], "demo/Main\n".getBytes())) {
            Path file = Files.write(scratch.resolve("list"), content);
            SettingException e = assertThrows(SettingException.class, () -> ClassList.read(file));
            assertEquals("classList", e.parameter());
            assertTrue(e.getMessage().contains(file + " is not a list of classes: "), e.getMessage());
            assertTrue(e.getMessage().endsWith("Record it again with 'mvn unikernel:train'."), e.getMessage());
        }
        Path binary = Files.write(scratch.resolve("binary"), new byte[] {(byte) 0xff, 0});
        ExplainedException e = assertThrows(ExplainedException.class, () -> ClassList.read(binary));
        assertEquals(binary + " is not text in UTF-8. Save it in that encoding.", e.getMessage());
    }

    @Test
    void aListThatCannotBeWrittenLeavesNothing() throws Exception {
        Path file = Files.createDirectories(scratch.resolve("list/in/the/way"))
                .getParent()
                .getParent()
                .getParent();
        assertThrows(IOException.class, () -> ClassList.recorded(RECORDING).write(file));
        assertFalse(Files.exists(scratch.resolve("list.part")));
    }
}
