// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.oci;

/**
 * Credentials for a registry.
 *
 * @param origin where they are from, for messages
 */
public record Login(String username, String password, String origin) {

    /** Without the password, for logs. */
    @Override
    public String toString() {
        return username + " of " + origin;
    }
}
