// SPDX-License-Identifier: Apache-2.0
/**
 * The Java runtime of an image: which modules it needs, linking it from a JDK, its class data, and the native libraries
 * under it.
 */
package io.github.javaunikernel.maven.runtime;
