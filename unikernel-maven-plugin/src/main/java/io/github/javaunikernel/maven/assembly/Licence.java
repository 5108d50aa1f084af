// SPDX-License-Identifier: Apache-2.0
package io.github.javaunikernel.maven.assembly;

/**
 * A licence as the POM of a dependency gives it.
 *
 * @param name or null
 * @param url or null
 */
public record Licence(String name, String url) {}
