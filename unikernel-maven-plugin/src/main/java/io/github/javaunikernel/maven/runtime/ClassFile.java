// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

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
    private static final int PUBLIC_STATIC = 0x0009;
    private static final int PRIVATE = 0x0002;
    private static final int STATIC = 0x0008;
    private static final int ABSTRACT = 0x0400;
    private static final String ARGUMENTS = "([Ljava/lang/String;)V";

    /** Two indexes of constants: class and name of a member, or name and type. */
    private record Pair(int first, int second) {}

    /** What matters of the methods: those that can be started, and the constructor that an instance needs. */
    private record Starts(boolean classic, boolean ofClass, boolean ofInstance, boolean constructor) {
        private static final Starts NONE = new Starts(false, false, false, false);

        Starts with(int access, Object name, Object type) {
            boolean main =
                    "main".equals(name) && (ARGUMENTS.equals(type) || "()V".equals(type)) && (access & PRIVATE) == 0;
            return new Starts(
                    classic || main && ARGUMENTS.equals(type) && (access & PUBLIC_STATIC) == PUBLIC_STATIC,
                    ofClass || main && (access & STATIC) != 0,
                    ofInstance || main && (access & (STATIC | ABSTRACT)) == 0,
                    constructor || "<init>".equals(name) && "()V".equals(type) && (access & PRIVATE) == 0);
        }
    }

    /** Reads a class file to its end. */
    public static ClassFile read(InputStream stream) throws IOException {
        DataInputStream in = new DataInputStream(stream);
        if (in.readInt() != MAGIC) {
            throw new DamagedException("it is not a class file");
        }
        in.readUnsignedShort();
        int major = in.readUnsignedShort();
        Object[] constants = constants(in);
        int access = in.readUnsignedShort();
        String name = className(constants, in.readUnsignedShort());
        int parent = in.readUnsignedShort();
        in.skipNBytes(2L * in.readUnsignedShort());
        readMembers(in, constants);
        Starts starts = readMembers(in, constants);
        boolean instance = starts.ofInstance && starts.constructor && (access & ABSTRACT) == 0;
        return new ClassFile(
                name,
                major,
                parent == 0 ? null : className(constants, parent),
                starts.classic,
                starts.ofClass || instance,
                references(constants),
                members(constants),
                texts(constants));
    }

    /** Strings for UTF-8 entries, indexes of names for classes, pairs for members and their names, else null. */
    private static Object[] constants(DataInputStream in) throws IOException {
        Object[] constants = new Object[in.readUnsignedShort()];
        for (int i = 1; i < constants.length; i++) {
            int tag = in.readUnsignedByte();
            switch (tag) {
                case 1 -> constants[i] = in.readUTF();
                case 7 -> constants[i] = in.readUnsignedShort();
                case 8, 16, 19, 20 -> in.skipNBytes(2);
                case 15 -> in.skipNBytes(3);
                case 9, 10, 11, 12 -> constants[i] = new Pair(in.readUnsignedShort(), in.readUnsignedShort());
                case 3, 4, 17, 18 -> in.skipNBytes(4);
                case 5, 6 -> {
                    in.skipNBytes(8);
                    // Long and double take two entries.
                    i++;
                }
                default -> throw new DamagedException("it has a constant of the unknown kind " + tag);
            }
        }
        return constants;
    }

    private static String className(Object[] constants, int index) throws IOException {
        boolean named = index < constants.length
                && constants[index] instanceof Integer name
                && name < constants.length
                && constants[name] instanceof String;
        if (!named) {
            throw new DamagedException("its constants are damaged");
        }
        return (String) constants[(Integer) constants[index]];
    }

    /** Reads fields or methods; returns what of them can be started. */
    private static Starts readMembers(DataInputStream in, Object[] constants) throws IOException {
        Starts found = Starts.NONE;
        for (int count = in.readUnsignedShort(); count > 0; count--) {
            int access = in.readUnsignedShort();
            Object name = constant(constants, in.readUnsignedShort());
            Object type = constant(constants, in.readUnsignedShort());
            found = found.with(access, name, type);
            for (int attributes = in.readUnsignedShort(); attributes > 0; attributes--) {
                in.readUnsignedShort();
                in.skipNBytes(Integer.toUnsignedLong(in.readInt()));
            }
        }
        return found;
    }

    private static Object constant(Object[] constants, int index) throws IOException {
        if (index >= constants.length) {
            throw new DamagedException("its constants are damaged");
        }
        return constants[index];
    }

    private static Set<String> members(Object[] constants) throws IOException {
        Set<String> members = new HashSet<>();
        for (Object constant : constants) {
            boolean member = constant instanceof Pair pair && constant(constants, pair.first) instanceof Integer;
            if (member && constant(constants, ((Pair) constant).second) instanceof Pair nameAndType) {
                members.add(
                        className(constants, ((Pair) constant).first) + "." + constant(constants, nameAndType.first));
            }
        }
        return members;
    }

    private static List<String> texts(Object[] constants) {
        List<String> texts = new ArrayList<>();
        for (Object constant : constants) {
            if (constant instanceof String text) {
                texts.add(text);
            }
        }
        return texts;
    }

    private static Set<String> references(Object[] constants) throws IOException {
        Set<String> references = new HashSet<>();
        for (int i = 1; i < constants.length; i++) {
            if (constants[i] instanceof Integer) {
                String name = className(constants, i);
                // Arrays are named by their descriptors, which are looked through below.
                if (!name.startsWith("[")) {
                    references.add(name);
                }
            } else if (constants[i] instanceof String text) {
                addDescribed(text, references);
            }
        }
        return references;
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
