// SPDX-License-Identifier: Apache-2.0
/** Shows what is in an image, for people and, as JSON, for programs. */
package io.github.javaunikernel.maven.inspect;
