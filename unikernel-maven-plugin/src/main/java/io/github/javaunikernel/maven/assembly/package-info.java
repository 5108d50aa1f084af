// SPDX-License-Identifier: Apache-2.0
/**
 * Puts an image together from an application, a runtime and a kernel. Knows nothing of Maven: the goals hand in plain
 * settings. Calls {@code runtime}, {@code boot} and {@code image}; none of those calls back.
 */
package io.github.javaunikernel.maven.assembly;
