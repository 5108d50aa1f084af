// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.runtime;

import java.util.function.Consumer;

/** Finds names of classes in texts of any kind: identifiers with dots between them. */
final class DottedNames {

    private DottedNames() {}

    /** Hands each name in the text to the consumer, with slashes in place of its dots. */
    static void in(CharSequence text, Consumer<String> names) {
        int at = 0;
        while (at < text.length()) {
            if (!Character.isJavaIdentifierStart(text.charAt(at))) {
                at++;
                continue;
            }
            int start = at;
            int dot = -1;
            while (at < text.length() && isPart(text, at)) {
                dot = text.charAt(at) == '.' ? at : dot;
                at++;
            }
            if (dot > start) {
                names.accept(text.subSequence(start, at).toString().replace('.', '/'));
            }
        }
    }

    private static boolean isPart(CharSequence text, int at) {
        return Character.isJavaIdentifierPart(text.charAt(at))
                || text.charAt(at) == '.'
                        && at + 1 < text.length()
                        && Character.isJavaIdentifierStart(text.charAt(at + 1));
    }
}
