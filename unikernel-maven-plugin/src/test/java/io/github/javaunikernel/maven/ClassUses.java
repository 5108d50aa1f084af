// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.Handle;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * What the methods of a class use.
 *
 * @param texts constants, and what concatenations put between values
 * @param calls of methods and constructors, directly or by reference, such as {@code java/lang/String.getBytes()[B}
 */
record ClassUses(Set<String> texts, Set<String> calls) {

    private static final String END = ".class";

    /** Of the classes below a directory, by their names relative to it, such as {@code run/Dump$5}. */
    static Map<String, ClassUses> below(Path directory) throws IOException {
        Map<String, ClassUses> found = new TreeMap<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(name -> name.toString().endsWith(END)).toList()) {
                try (InputStream in = Files.newInputStream(file)) {
                    String name = directory.relativize(file).toString();
                    found.put(name.substring(0, name.length() - END.length()), of(in));
                }
            }
        }
        return found;
    }

    /** Of a class file. */
    static ClassUses of(InputStream classFile) throws IOException {
        ClassUses uses = new ClassUses(new TreeSet<>(), new TreeSet<>());
        ClassVisitor visitor = new ClassVisitor(Opcodes.ASM9) {
            @Override
            public MethodVisitor visitMethod(int access, String name, String type, String signature, String[] thrown) {
                return new Collector(uses);
            }
        };
        new ClassReader(classFile).accept(visitor, ClassReader.SKIP_DEBUG);
        return uses;
    }

    private static final class Collector extends MethodVisitor {

        private final ClassUses uses;

        Collector(ClassUses uses) {
            super(Opcodes.ASM9);
            this.uses = uses;
        }

        @Override
        public void visitLdcInsn(Object value) {
            if (value instanceof String text) {
                uses.texts.add(text);
            }
        }

        @Override
        public void visitMethodInsn(int opcode, String owner, String name, String type, boolean isInterface) {
            uses.calls.add(owner + "." + name + type);
        }

        @Override
        public void visitInvokeDynamicInsn(String name, String type, Handle bootstrap, Object... arguments) {
            for (Object argument : arguments) {
                if (argument instanceof Handle handle && handle.getDesc().startsWith("(")) {
                    visitMethodInsn(0, handle.getOwner(), handle.getName(), handle.getDesc(), handle.isInterface());
                } else {
                    visitLdcInsn(argument);
                }
            }
        }
    }
}
