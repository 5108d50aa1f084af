// SPDX-License-Identifier: Apache-2.0
/** How every layer says what is wrong: a parameter, or a file. */
package io.github.javaunikernel.maven.settings;
