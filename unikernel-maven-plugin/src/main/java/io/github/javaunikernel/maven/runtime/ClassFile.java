package io.github.javaunikernel.maven.runtime;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashSet;
import java.util.Set;

/**
 * What a class file (JVMS chapter 4) says of itself and of others.
 *
 * @param name with slashes
 * @param hasMain whether it has {@code public static void main(String[])}
 * @param references names, with slashes, of the classes it mentions in code, descriptors and signatures
 */
public record ClassFile(String name, boolean hasMain, Set<String> references) {

    private static final int MAGIC = 0xCAFEBABE;
    private static final int PUBLIC_STATIC = 0x0009;

    /** Reads a class file to its end. */
    public static ClassFile read(InputStream stream) throws IOException {
        DataInputStream in = new DataInputStream(stream);
        if (in.readInt() != MAGIC) {
            throw new IOException("it is not a class file");
        }
        in.readInt();
        Object[] constants = constants(in);
        in.readUnsignedShort();
        String name = className(constants, in.readUnsignedShort());
        in.readUnsignedShort();
        in.skipNBytes(2L * in.readUnsignedShort());
        readMembers(in, constants);
        boolean hasMain = readMembers(in, constants);
        return new ClassFile(name, hasMain, references(constants));
    }

    /** Strings for UTF-8 entries, indexes of names for classes, null for all others. */
    private static Object[] constants(DataInputStream in) throws IOException {
        Object[] constants = new Object[in.readUnsignedShort()];
        for (int i = 1; i < constants.length; i++) {
            int tag = in.readUnsignedByte();
            switch (tag) {
                case 1 -> constants[i] = in.readUTF();
                case 7 -> constants[i] = in.readUnsignedShort();
                case 8, 16, 19, 20 -> in.skipNBytes(2);
                case 15 -> in.skipNBytes(3);
                case 3, 4, 9, 10, 11, 12, 17, 18 -> in.skipNBytes(4);
                case 5, 6 -> {
                    in.skipNBytes(8);
                    // Long and double take two entries.
                    i++;
                }
                default -> throw new IOException("it has a constant of the unknown kind " + tag);
            }
        }
        return constants;
    }

    private static String className(Object[] constants, int index) throws IOException {
        boolean named = index < constants.length && constants[index] instanceof Integer name
                && name < constants.length && constants[name] instanceof String;
        if (!named) {
            throw new IOException("its constants are damaged");
        }
        return (String) constants[(Integer) constants[index]];
    }

    /** Reads fields or methods; returns whether the main method is among them. */
    private static boolean readMembers(DataInputStream in, Object[] constants) throws IOException {
        boolean found = false;
        for (int count = in.readUnsignedShort(); count > 0; count--) {
            int access = in.readUnsignedShort();
            Object name = constant(constants, in.readUnsignedShort());
            Object type = constant(constants, in.readUnsignedShort());
            found |= (access & PUBLIC_STATIC) == PUBLIC_STATIC && "main".equals(name)
                    && "([Ljava/lang/String;)V".equals(type);
            for (int attributes = in.readUnsignedShort(); attributes > 0; attributes--) {
                in.readUnsignedShort();
                in.skipNBytes(Integer.toUnsignedLong(in.readInt()));
            }
        }
        return found;
    }

    private static Object constant(Object[] constants, int index) throws IOException {
        if (index >= constants.length) {
            throw new IOException("its constants are damaged");
        }
        return constants[index];
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
