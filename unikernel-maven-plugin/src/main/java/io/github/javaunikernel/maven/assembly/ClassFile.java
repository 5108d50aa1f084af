package io.github.javaunikernel.maven.assembly;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * Just enough of a class file (JVMS chapter 4) to know whether it can be started.
 *
 * @param name with dots
 * @param hasMain whether it has {@code public static void main(String[])}
 */
record ClassFile(String name, boolean hasMain) {

    private static final int MAGIC = 0xCAFEBABE;
    private static final int PUBLIC_STATIC = 0x0009;

    static ClassFile read(InputStream stream) throws IOException {
        DataInputStream in = new DataInputStream(stream);
        if (in.readInt() != MAGIC) {
            throw new IOException("not a class file");
        }
        in.readInt();
        Object[] constants = constants(in);
        in.readUnsignedShort();
        String name = (String) constants[(Integer) constants[in.readUnsignedShort()]];
        in.readUnsignedShort();
        in.skipNBytes(2L * in.readUnsignedShort());
        readMembers(in, constants);
        return new ClassFile(name.replace('/', '.'), readMembers(in, constants));
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
                default -> throw new IOException("unknown constant " + tag);
            }
        }
        return constants;
    }

    /** Reads fields or methods; returns whether the main method is among them. */
    private static boolean readMembers(DataInputStream in, Object[] constants) throws IOException {
        boolean found = false;
        for (int count = in.readUnsignedShort(); count > 0; count--) {
            int access = in.readUnsignedShort();
            Object name = constants[in.readUnsignedShort()];
            Object type = constants[in.readUnsignedShort()];
            found |= (access & PUBLIC_STATIC) == PUBLIC_STATIC && "main".equals(name)
                    && "([Ljava/lang/String;)V".equals(type);
            for (int attributes = in.readUnsignedShort(); attributes > 0; attributes--) {
                in.readUnsignedShort();
                in.skipNBytes(Integer.toUnsignedLong(in.readInt()));
            }
        }
        return found;
    }
}
