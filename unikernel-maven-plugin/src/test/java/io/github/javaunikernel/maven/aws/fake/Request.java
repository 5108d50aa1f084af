// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** One HTTP request, read whole. */
final class Request {
    final String method;
    final String path;
    final String rawQuery;
    final Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    final byte[] body;

    Request(HttpExchange exchange) throws IOException {
        method = exchange.getRequestMethod();
        path = exchange.getRequestURI().getRawPath();
        rawQuery = exchange.getRequestURI().getRawQuery();
        headers.putAll(exchange.getRequestHeaders());
        body = exchange.getRequestBody().readAllBytes();
    }

    String header(String name) {
        List<String> values = headers.get(name);
        return values == null || values.isEmpty() ? null : values.get(0);
    }

    String requiredHeader(String name) {
        String value = header(name);
        if (value == null) {
            throw new AwsFault(400, "ValidationException", "missing header " + name);
        }
        return value;
    }

    String text() {
        return new String(body, StandardCharsets.UTF_8);
    }

    /** The body as a form, in order of arrival. */
    Map<String, String> form() {
        Map<String, String> form = new TreeMap<>();
        for (String pair : text().split("&")) {
            int equals = pair.indexOf('=');
            form.put(decode(pair.substring(0, equals)), decode(pair.substring(equals + 1)));
        }
        return form;
    }

    /** Decoded query pairs. */
    List<Map.Entry<String, String>> query() {
        List<Map.Entry<String, String>> pairs = new ArrayList<>();
        if (rawQuery == null || rawQuery.isEmpty()) {
            return pairs;
        }
        for (String pair : rawQuery.split("&")) {
            int equals = pair.indexOf('=');
            pairs.add(
                    equals < 0
                            ? Map.entry(decode(pair), "")
                            : Map.entry(decode(pair.substring(0, equals)), decode(pair.substring(equals + 1))));
        }
        return pairs;
    }

    static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
