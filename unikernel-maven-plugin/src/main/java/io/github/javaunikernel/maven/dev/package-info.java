// SPDX-License-Identifier: Apache-2.0
/** Makes an image again and restarts its guest when files change, for people who write the program. */
package io.github.javaunikernel.maven.dev;
