// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.it.app.conformance;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.HexFormat;
import java.util.List;

/** Charsets, and names of files in every script. */
final class TextChecks implements Conformance.Area {

    private static final List<String> TEXTS = List.of(
            "plain",
            "Grüße",
            "Ελληνικά",
            "Русский",
            "עברית",
            "العربية",
            "हिन्दी",
            "ไทย",
            "中文字符",
            "日本語ひらがな",
            "한국어",
            "🙂👩‍👩‍👧",
            "e\u0301\u0327",
            "\uD800",
            "tab\tand\u0001control",
            "€ “quotes”",
            "ﬁ ﬀ ß İ ı");

    @Override
    public void run(Conformance checks) {
        checks.check("default charset", () -> Charset.defaultCharset() + " " + System.getProperty("sun.jnu.encoding"));
        for (String text : TEXTS) {
            for (Charset charset : List.of(
                    StandardCharsets.UTF_8,
                    StandardCharsets.UTF_16,
                    StandardCharsets.ISO_8859_1,
                    StandardCharsets.US_ASCII,
                    Charset.forName("UTF-32LE"),
                    Charset.forName("windows-1252"))) {
                checks.check(
                        "'" + escaped(text) + "' in " + charset,
                        () -> HexFormat.of().formatHex(text.getBytes(charset)));
            }
            checks.check(
                    "strictly '" + escaped(text) + "'",
                    () -> StandardCharsets.UTF_8
                            .newEncoder()
                            .onUnmappableCharacter(CodingErrorAction.REPORT)
                            .encode(java.nio.CharBuffer.wrap(text))
                            .remaining());
            checks.check(
                    "normal forms of '" + escaped(text) + "'",
                    () -> escaped(Normalizer.normalize(text, Normalizer.Form.NFC)) + " "
                            + escaped(Normalizer.normalize(text, Normalizer.Form.NFKD)));
            names(checks, text);
        }
        for (String bytes : List.of("c3a4", "c3", "ff", "eda080", "f0909080", "c080", "e282ac", "f4908080", "00")) {
            checks.check(
                    "decode " + bytes,
                    () -> escaped(StandardCharsets.UTF_8
                            .newDecoder()
                            .onMalformedInput(CodingErrorAction.REPLACE)
                            .decode(ByteBuffer.wrap(HexFormat.of().parseHex(bytes)))
                            .toString()));
            checks.check(
                    "strictly decode " + bytes,
                    () -> escaped(StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(HexFormat.of().parseHex(bytes)))
                            .toString()));
        }
    }

    private static void names(Conformance checks, String text) {
        checks.check("name '" + escaped(text) + "'", () -> {
            Path file = checks.file(text);
            Files.writeString(file, text.startsWith("\uD800") ? "lone" : text);
            try (var found = Files.list(checks.scratch())) {
                return found.map(path -> escaped(path.getFileName().toString())).toList() + " "
                        + file.toFile().exists() + " "
                        + new File(checks.scratch().toFile(), text)
                                .getCanonicalFile()
                                .getName()
                                .equals(text);
            } finally {
                Files.deleteIfExists(file);
            }
        });
        checks.check("longest name of '" + escaped(text) + "'", () -> {
            int bytes = text.getBytes(StandardCharsets.UTF_8).length;
            String name = text.repeat(255 / bytes);
            Path file = Files.createFile(checks.file(name));
            Files.delete(file);
            return name.length();
        });
    }

    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder();
        text.chars()
                .forEach(c ->
                        escaped.append(c > ' ' && c < 127 ? String.valueOf((char) c) : String.format("\\u%04x", c)));
        return escaped.toString();
    }
}
