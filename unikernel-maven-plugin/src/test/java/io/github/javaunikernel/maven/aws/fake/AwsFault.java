// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.aws.fake;

/** An error answer of a service; each service writes it in its own format. */
final class AwsFault extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final int status;
    final String code;

    AwsFault(int status, String code, String message) {
        super(message);
        this.status = status;
        this.code = code;
    }
}
