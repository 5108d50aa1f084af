// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

import java.nio.charset.StandardCharsets;
import java.util.Map;

record Reply(int status, String type, byte[] body, Map<String, String> headers) {
    static Reply json(int status, String json) {
        return new Reply(status, "application/json", json.getBytes(StandardCharsets.UTF_8), Map.of());
    }

    static Reply xml(int status, String xml) {
        return new Reply(status, "text/xml", xml.getBytes(StandardCharsets.UTF_8), Map.of());
    }
}
