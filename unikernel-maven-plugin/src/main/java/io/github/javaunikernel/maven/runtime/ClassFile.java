// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * What a class file (JVMS chapter 4) says of itself and of others.
 *
 * @param name with slashes
 * @param major version of its format: 61 is that of Java 17
 * @param parent name of the class it extends, with slashes; null for java/lang/Object and for modules
 * @param hasMain whether it has {@code public static void main(String[])}
 * @param hasInstanceMain whether it has another main method that Java 25 and later start (JLS 12.1.4)
 * @param references names, with slashes, of the classes it mentions in code, descriptors and signatures
 * @param members fields and methods that its code uses, as {@code java/util/Locale.GERMANY}
 * @param texts every text in it: string constants, and names of all kinds
 */
public record ClassFile(
        String name,
        int major,
        String parent,
        boolean hasMain,
        boolean hasInstanceMain,
        Set<String> references,
        Set<String> members,
        List<String> texts) {

    private static final int MAGIC = 0xCAFEBABE;
    /** Of the magic number and the version (JVMS 4.1). */
    private static final int HEADER = 8;

    private static final int MAJOR = 6;
    /** ASM refuses versions that it does not know yet; newer ones have the same form as far as it is used here. */
    private static final int KNOWN = Opcodes.V17;

    /** Kinds of constants (JVMS 4.4). */
    private static final int UTF8 = 1;

    private static final int CLASS = 7;
    private static final int FIELD = 9;
    private static final int METHOD = 10;
    private static final int INTERFACE_METHOD = 11;
    private static final String ARGUMENTS = "([Ljava/lang/String;)V";

    /** What matters of the methods: those that can be started, and the constructor that an instance needs. */
    private static final class Starts extends ClassVisitor {
        private boolean classic;
        private boolean ofClass;
        private boolean ofInstance;
        private boolean constructor;

        private Starts() {
            super(Opcodes.ASM9);
        }

        @Override
        public MethodVisitor visitMethod(int access, String name, String type, String signature, String[] thrown) {
            boolean visible = (access & Opcodes.ACC_PRIVATE) == 0;
            boolean isStatic = (access & Opcodes.ACC_STATIC) != 0;
            boolean main = name.equals("main") && (type.equals(ARGUMENTS) || type.equals("()V")) && visible;
            classic |= main && type.equals(ARGUMENTS) && isStatic && (access & Opcodes.ACC_PUBLIC) != 0;
            ofClass |= main && isStatic;
            ofInstance |= main && !isStatic && (access & Opcodes.ACC_ABSTRACT) == 0;
            constructor |= name.equals("<init>") && type.equals("()V") && visible;
            return null;
        }
    }

    /** Reads a class file to its end. */
    public static ClassFile read(InputStream stream) throws IOException {
        byte[] bytes = stream.readAllBytes();
        if (bytes.length < HEADER || ByteBuffer.wrap(bytes).getInt() != MAGIC) {
            throw new DamagedException("it is not a class file");
        }
        ByteBuffer header = ByteBuffer.wrap(bytes);
        int major = Short.toUnsignedInt(header.getShort(MAJOR));
        if (major > KNOWN) {
            header.putShort(MAJOR, (short) KNOWN);
        }
        try {
            return read(new ClassReader(bytes), bytes, major);
        } catch (RuntimeException e) {
            // ASM takes a class file for a correct one, and fails in many ways where it is not.
            throw new DamagedException("it is not a whole class file: " + e, e);
        }
    }

    private static ClassFile read(ClassReader reader, byte[] bytes, int major) throws IOException {
        Starts starts = new Starts();
        reader.accept(starts, ClassReader.SKIP_CODE | ClassReader.SKIP_DEBUG | ClassReader.SKIP_FRAMES);
        boolean isAbstract = (reader.getAccess() & Opcodes.ACC_ABSTRACT) != 0;
        Set<String> references = new HashSet<>();
        Set<String> members = new HashSet<>();
        List<String> texts = new ArrayList<>();
        char[] buffer = new char[reader.getMaxStringLength()];
        for (int i = 1; i < reader.getItemCount(); i++) {
            int place = reader.getItem(i);
            // Long and double take two entries, of which the second is empty.
            switch (place == 0 ? 0 : reader.readByte(place - 1)) {
                case UTF8 -> texts.add(text(bytes, place));
                case CLASS -> addClass(reader.readUTF8(place, buffer), references);
                case FIELD, METHOD, INTERFACE_METHOD -> members.add(member(reader, place, buffer));
                default -> {}
            }
        }
        texts.forEach(text -> addDescribed(text, references));
        return new ClassFile(
                reader.getClassName(),
                major,
                reader.getSuperName(),
                starts.classic,
                starts.ofClass || starts.ofInstance && starts.constructor && !isAbstract,
                references,
                members,
                texts);
    }

    /** ASM does not hand out texts by themselves; they have the form that {@code readUTF} reads (JVMS 4.4.7). */
    private static String text(byte[] bytes, int place) throws IOException {
        return new DataInputStream(new ByteArrayInputStream(bytes, place, bytes.length - place)).readUTF();
    }

    /** Arrays are named by their descriptors, which are looked through as texts. */
    private static void addClass(String name, Set<String> references) {
        if (!name.startsWith("[")) {
            references.add(name);
        }
    }

    /** A constant of a member names its class, and its name and type. */
    private static String member(ClassReader reader, int place, char[] buffer) {
        int nameAndType = reader.getItem(reader.readUnsignedShort(place + 2));
        return reader.readClass(place, buffer) + "." + reader.readUTF8(nameAndType, buffer);
    }

    /** Adds every class in a descriptor or signature: what stands between an L and the next semicolon or bracket. */
    private static void addDescribed(String text, Set<String> references) {
        int start = text.indexOf('L');
        while (start >= 0) {
            int end = start + 1;
            while (end < text.length() && isOfName(text.charAt(end))) {
                end++;
            }
            boolean described = end < text.length() && (text.charAt(end) == ';' || text.charAt(end) == '<');
            if (described) {
                references.add(text.substring(start + 1, end));
            }
            start = text.indexOf('L', end);
        }
    }

    private static boolean isOfName(char c) {
        return c == '/' || Character.isJavaIdentifierPart(c);
    }
}
