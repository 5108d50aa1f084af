// SPDX-License-Identifier: Apache-2.0
package example;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** The methods of the example's own service; their messages are plain bytes. */
final class Calls {

    static final String SERVICE = "example.Bytes";
    static final int LARGEST = 16 << 20;

    /** Each message comes back, in both directions at once. */
    static final MethodDescriptor<byte[], byte[]> ECHO = method("Echo", MethodType.BIDI_STREAMING);

    /** The answer is the message backwards. */
    static final MethodDescriptor<byte[], byte[]> REVERSE = method("Reverse", MethodType.UNARY);

    /** There is no answer. */
    static final MethodDescriptor<byte[], byte[]> NEVER = method("Never", MethodType.UNARY);

    /** Fails with the message as the description. */
    static final MethodDescriptor<byte[], byte[]> FAIL = method("Fail", MethodType.UNARY);

    /** The server has no such method. */
    static final MethodDescriptor<byte[], byte[]> MISSING = method("Missing", MethodType.UNARY);

    private Calls() {
    }

    private static MethodDescriptor<byte[], byte[]> method(String name, MethodType type) {
        return MethodDescriptor.<byte[], byte[]>newBuilder()
                .setType(type)
                .setFullMethodName(MethodDescriptor.generateFullMethodName(SERVICE, name))
                .setRequestMarshaller(new Bytes())
                .setResponseMarshaller(new Bytes())
                .build();
    }

    private static final class Bytes implements Marshaller<byte[]> {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
