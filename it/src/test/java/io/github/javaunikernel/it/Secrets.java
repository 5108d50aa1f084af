// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/** Looks for secrets as they are, and as URLs, Base64 and hexadecimal would show them. */
final class Secrets {

    private final List<String> forms = new ArrayList<>();

    Secrets(List<String> secrets) {
        for (String secret : secrets) {
            forms.add(secret);
            forms.add(URLEncoder.encode(secret, StandardCharsets.UTF_8));
            forms.add(secret.replace("/", "\\/"));
            forms.add(HexFormat.of().formatHex(secret.getBytes(StandardCharsets.UTF_8)));
            for (int before = 0; before < 3; before++) {
                forms.add(base64Inside(secret, before));
            }
        }
    }

    /**
     * The part of the Base64 form that does not depend on what stands around, for one of the three places in a group.
     */
    private static String base64Inside(String secret, int before) {
        String encoded = Base64.getEncoder()
                .withoutPadding()
                .encodeToString(("x".repeat(before) + secret).getBytes(StandardCharsets.UTF_8));
        int whole = (before + secret.length()) / 3 * 4;
        return encoded.substring(before == 0 ? 0 : 4, whole);
    }

    /** The secrets, in whatever form, that the text holds. */
    List<String> in(String text) {
        return forms.stream().filter(text::contains).toList();
    }

    /** The files below the directory that hold a secret, with the form of it. */
    List<String> below(Path directory) throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                // one byte, one character: what is searched for is ASCII
                in(Files.readString(file, StandardCharsets.ISO_8859_1)).forEach(form -> found.add(file + ": " + form));
            }
        }
        return found;
    }
}
